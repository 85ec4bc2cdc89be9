import { attentionData, attentionGradientSamples } from "../cases/attention_backward.ts";
import { convData, convGradientSamples } from "../cases/conv2d_samples.ts";
import { groupNormData, groupNormGradientSamples } from "../cases/group_norm_backward.ts";
import { linearData, linearGradientSamples } from "../cases/matmul_backward.ts";
import { ofResults, type Sample } from "../case.ts";
import { GRADIENT_COURSES } from "../shapes/courses.ts";
import { blockData, blockGradientSamples } from "./block.ts";
import type { Course } from "./course.ts";
import type { Gradients } from "./gradients.ts";
import type { Task } from "./task.ts";

/** What is raced forward and backward: the shapes of `GRADIENT_COURSES`. */
export function gradientCourses(): Course[] {
  const { linear, attention, conv3x3, groupNormSilu, transformerBlock } = GRADIENT_COURSES;
  return [
    ...linear.map(([m, k, n]) =>
      course(`matmul_and_backward/${m} x ${k} x ${n} nt`, {
        floats: m * n + m * k + k * n,
        data: () => linearData({ m, k, n }),
        enter: (gradients, data) => gradients.linear(data),
        samples: (data) => {
          const { dx, dw } = linearGradientSamples(data);
          return ofResults([dx, dw]);
        },
      })
    ),
    ...attention.map(([tokens, heads, width]) =>
      course(`attention_and_backward/${tokens} tokens ${heads} x ${width}`, {
        // Those who keep the scores, and their gradient, must have room for them.
        floats: 4 * tokens * heads * width + 2 * heads * tokens ** 2,
        data: () => attentionData({ tokens, heads, width }),
        enter: (gradients, data) => gradients.attention(data),
        samples: attentionGradientSamples,
      })
    ),
    ...conv3x3.map(([side, inputs, outputs]) =>
      course(`conv2d_and_backward/1 x ${side} x ${side} x ${inputs} -> ${outputs}`, {
        floats: side ** 2 * (inputs + outputs) + 9 * inputs * outputs,
        data: () => convData({ side, inputs, outputs }),
        enter: (gradients, data) => gradients.conv3x3(data),
        samples: (data) => {
          const { dx, dw } = convGradientSamples(data);
          return ofResults([dx, dw]);
        },
      })
    ),
    ...groupNormSilu.map(([side, channels, groups]) =>
      course(`group_norm_silu_and_backward/${side}^2 x ${channels}, ${groups} groups`, {
        floats: 2 * side ** 2 * channels,
        data: () => groupNormData({ side, channels, groups }),
        enter: (gradients, data) => gradients.groupNormSilu(data),
        samples: groupNormGradientSamples,
      })
    ),
    ...transformerBlock.map(([tokens, width, heads]) =>
      course(`transformer_block_and_backward/${tokens} x ${width}, ${heads} heads`, {
        floats: 2 * tokens * width + 12 * width ** 2,
        data: () => blockData({ tokens, width, heads }),
        enter: (gradients, data) => gradients.transformerBlock(data),
        samples: blockGradientSamples,
      })
    ),
  ];
}

/** A course whose result, gradients included, has `floats` elements. */
function course<D>(name: string, { floats, data, enter, samples }: {
  floats: number;
  data: () => D;
  enter: (gradients: Gradients, data: D) => Promise<Task>;
  samples: (data: D) => Iterable<Sample>;
}): Course {
  return {
    name,
    bytes: 4 * floats,
    enter({ gradients }) {
      if (!gradients) throw new Error("no gradients");
      return enter(gradients, data());
    },
    samples: () => samples(data()),
  };
}
