import { attentionSamples } from "../cases/attention.ts";
import { attentionData } from "../cases/attention_backward.ts";
import { convData, convSamples } from "../cases/conv2d_samples.ts";
import { matmulSamples } from "../cases/matmul.ts";
import { random } from "../random.ts";
import { COURSES, HARDWARE_COURSES } from "../shapes/courses.ts";
import type { Course } from "./course.ts";
import { gradientCourses } from "./gradient_courses.ts";

/** What is raced: the shapes of `COURSES` forward, with those for hardware, and of `GRADIENT_COURSES` forward and backward. */
export function allCourses({ software }: { readonly software: boolean }): Course[] {
  const of = (op: keyof typeof COURSES) => [...COURSES[op], ...software ? [] : HARDWARE_COURSES[op]];
  return [
    ...of("matmul").map(matmulCourse),
    ...of("conv3x3").map(convCourse),
    ...of("attention").map(attentionCourse),
    ...gradientCourses(),
  ];
}

type Sizes = readonly [number, number, number];

function matmulCourse([m, k, n]: Sizes): Course {
  const data = () => ({ m, k, n, a: random(m * k, 1), b: random(k * n, 2) });
  return {
    name: `matmul/${m} x ${k} x ${n}`,
    bytes: 4 * m * n,
    enter: (peer) => peer.matmul(data()),
    samples: () => matmulSamples(data()),
  };
}

function convCourse([side, inputs, outputs]: Sizes): Course {
  const data = () => convData({ side, inputs, outputs });
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

function attentionCourse([tokens, heads, width]: Sizes): Course {
  const data = () => attentionData({ tokens, heads, width });
  return {
    name: `attention/${tokens} tokens ${heads} x ${width}`,
    // Those who keep the scores must have room for them.
    bytes: 4 * tokens * heads * (width + tokens),
    enter(peer) {
      if (!peer.attention) throw new Error("no attention");
      return peer.attention(data());
    },
    samples: () => attentionSamples(data()),
  };
}
