"""PyTorch as a peer: does what torch.ts asks for, a JSON object a line, and answers each with another.

The only argument is the device. Tensors travel as files of f32, in the layouts of FluxSR (channels last); each op brings
them into those that PyTorch likes best when it is opened, and results back when they are looked at.
"""

import json
import sys

import torch
import torch.nn.functional as F

DEVICE = sys.argv[1]
# Of operands, and whether tensor cores may round f32 to 10 bits of mantissa.
PRECISIONS = {"fp32": (torch.float32, False), "tf32": (torch.float32, True), "bf16": (torch.bfloat16, False)}
GROUP_NORM_EPS = 1e-6
LAYER_NORM_EPS = 1e-6


def same(x):
    return x


def channels_first(x):
    """Of a picture; in memory the channels stay last."""
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def filters(weight):
    """[3, 3, C_in, C_out] to [C_out, C_in, 3, 3]."""
    return weight.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


def unfiltered(weight):
    return weight.permute(2, 3, 1, 0)


def heads_first(x):
    return x.transpose(1, 2).contiguous()


def tokens_first(x):
    return x.transpose(1, 2)


def convolve(sizes, x, weight):
    return F.conv2d(x, weight, padding=1)


def attend(sizes, q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def group_norm_silu(sizes, x, weight, bias):
    return F.silu(F.group_norm(x, sizes["groups"], weight, bias, GROUP_NORM_EPS))


def block(sizes, x, qkv, proj, up, down):
    tokens, width, heads = sizes["tokens"], sizes["width"], sizes["heads"]
    normalised = lambda h: F.layer_norm(h, (width,), eps=LAYER_NORM_EPS)
    q, k, v = F.linear(normalised(x), qkv).reshape(1, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(tokens, width)
    h = x + F.linear(attended, proj)
    return h + F.linear(F.gelu(F.linear(normalised(h), up), approximate="tanh"), down)


# The forward pass of each op, the layouts of its inputs with the ways back, and that of its result.
PICTURE, WEIGHT, HEADS, PLAIN = (channels_first, channels_last), (filters, unfiltered), (heads_first, tokens_first), (same, same)
OPS = {
    "matmul": (lambda sizes, a, b: a @ b, [PLAIN, PLAIN], PLAIN),
    "linear": (lambda sizes, x, weight: F.linear(x, weight), [PLAIN, PLAIN], PLAIN),
    "conv3x3": (convolve, [PICTURE, WEIGHT], PICTURE),
    "attention": (attend, [HEADS, HEADS, HEADS], HEADS),
    "groupNormSilu": (group_norm_silu, [PICTURE, PLAIN, PLAIN], PICTURE),
    "transformerBlock": (block, [PLAIN] * 5, PLAIN),
}


class Task:
    """An op on inputs on the device; if the gradient of its result is there too, with the gradients of all inputs."""

    def __init__(self, op, precision, sizes, tensors):
        self.forward, layouts, result = OPS[op]
        self.sizes = sizes
        self.dtype, self.tf32 = PRECISIONS[precision]
        loaded = [self.load(**tensor) for tensor in tensors]
        self.inputs = [into(x) for (into, _), x in zip(layouts, loaded)]
        self.dy = result[0](loaded[-1]) if len(loaded) > len(layouts) else None
        self.ways_back = [back for _, back in layouts] if self.dy is not None else [result[1]]
        for x in self.inputs:
            x.requires_grad_(self.dy is not None)

    def load(self, path, shape):
        values = torch.from_file(path, size=torch.Size(shape).numel(), dtype=torch.float32)
        return values.reshape(shape).to(DEVICE, self.dtype)

    def once(self):
        if self.dy is None:
            return [self.forward(self.sizes, *self.inputs)]
        return torch.autograd.grad(self.forward(self.sizes, *self.inputs), self.inputs, self.dy)

    def run(self, times):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.tf32
        for _ in range(times):
            results = self.once()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return results

    def sample(self, paths):
        for path, result, back in zip(paths, self.run(1), self.ways_back):
            back(result.detach()).float().cpu().contiguous().numpy().tofile(path)


def main():
    tasks = {}
    answer({"version": torch.__version__, "available": DEVICE != "cuda" or torch.cuda.is_available()})
    for line in sys.stdin:
        request = json.loads(line)
        number, action = request.pop("task"), request.pop("do")
        try:
            if action == "open":
                tasks[number] = Task(**request)
            elif action == "close":
                del tasks[number]
            else:
                getattr(tasks[number], action)(**request)
            answer({})
        except Exception as error:
            answer({"error": str(error)})


def answer(reply):
    print(json.dumps(reply), flush=True)


main()
