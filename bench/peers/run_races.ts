import type { Gpu } from "@fluxsr/kernels";
import { short, Table } from "../table.ts";
import type { Course } from "./course.ts";
import { allCourses } from "./courses.ts";
import { openPeers, type Race, race } from "./race.ts";

/** The courses whose name contains `filter`. */
export function coursesBy(adapter: { readonly software: boolean }, filter: string): Course[] {
  return allCourses(adapter).filter(({ name }) => name.includes(filter));
}

/** Prints and returns a race against the peers for each course. */
export async function runRaces(gpu: Gpu, courses: readonly Course[]): Promise<Race[]> {
  if (courses.length === 0) return [];
  const runners = await openPeers();
  const table = new Table([
    { title: "wall ms of one, in a batch", left: true, width: Math.max(...courses.map(({ name }) => name.length)) },
    { title: "batch", width: 5 },
    { title: "fluxsr", width: 7 },
    ...runners.map(({ name }) => ({ title: name, width: 12 })),
    { title: "ratio", width: 5 },
    { title: "fluxsr on the GPU" },
  ]);
  console.log(`\n${table.head()}`);
  const races: Race[] = [];
  for (const course of courses) {
    const result = await race(gpu, course, runners);
    const peers = Object.values(result.peers).map((cell) => typeof cell === "number" ? short(cell) : cell.slice(0, 40));
    const { name, batch, fluxsr, ratio, fluxsr_gpu } = result;
    console.log(
      table.line([name, String(batch), short(fluxsr), ...peers, ratio?.toFixed(2) ?? "-", short(fluxsr_gpu)]),
    );
    races.push(result);
  }
  return races;
}
