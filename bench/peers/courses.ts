import type { Sample } from "../case.ts";
import { convSamples } from "../cases/conv2d.ts";
import { matmulSamples } from "../cases/matmul.ts";
import { random } from "../random.ts";
import { COURSES } from "../shapes.ts";
import { gradientCourses } from "./gradient_courses.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";

/** One computation that every library is given. */
export interface Course {
  /** `op/shape`, as the table shows it. */
  readonly name: string;
  /** Bytes of what one computation leaves. */
  readonly bytes: number;
  /** The computation in the library of `peer`, on inputs that are on the GPU. */
  enter(peer: Peer): Promise<Task>;
  samples(): Iterable<Sample>;
}

/** What is raced: the shapes of `COURSES` forward, those of `GRADIENT_COURSES` forward and backward. */
export function allCourses(): Course[] {
  return [...COURSES.matmul.map(matmulCourse), ...COURSES.conv3x3.map(convCourse), ...gradientCourses()];
}

function matmulCourse([m, k, n]: readonly [number, number, number]): Course {
  const data = () => ({ m, k, n, a: random(m * k, 1), b: random(k * n, 2) });
  return {
    name: `matmul/${m} x ${k} x ${n}`,
    bytes: 4 * m * n,
    enter: (peer) => peer.matmul(data()),
    samples: () => matmulSamples(data()),
  };
}

function convCourse([side, inputs, outputs]: readonly [number, number, number]): Course {
  const sizes = { height: side, width: side, inputs, outputs };
  const data = () => ({ ...sizes, x: random(side ** 2 * inputs, 1), weight: random(9 * inputs * outputs, 2) });
  return {
    name: `conv2d/1 x ${side} x ${side} x ${inputs} -> ${outputs}`,
    bytes: 4 * side ** 2 * outputs,
    enter(peer) {
      if (!peer.conv3x3) throw new Error("no 3x3 convolution");
      return peer.conv3x3(data());
    },
    samples: () => convSamples(data()),
  };
}
