"""Makes expected.safetensors of this folder, see README.md: python make.py MODEL"""
import os
import sys

import numpy as np
import torch
from diffusers import AutoencoderKL, FluxPipeline, FluxTransformer2DModel
from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers, convert_ldm_vae_checkpoint
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
T_L, GUIDANCE = 0.25, 3.5
LORA = [
    "x_embedder",
    "transformer_blocks.0.norm1.linear",
    "transformer_blocks.0.attn.to_q",
    "transformer_blocks.0.attn.to_v",
    "transformer_blocks.0.attn.add_k_proj",
    "transformer_blocks.0.ff.net.2",
    "single_transformer_blocks.0.attn.to_k",
    "single_transformer_blocks.0.proj_mlp",
    "single_transformer_blocks.0.proj_out",
]
RANK = 4  # of all: with several, diffusers divides the first by each where PEFT has no alpha
FLOAT32 = torch.float32


def murmur(x):
    """MurmurHash3's finaliser, of uint32."""
    x = (x ^ x >> 16) * np.uint32(0x85EBCA6B)
    x = (x ^ x >> 13) * np.uint32(0xC2B2AE35)
    return x ^ x >> 16


def uniform(number, *shape):
    """Values in [-1, 1) that f32 holds, for input `number`."""
    count = int(np.prod(shape))
    bits = murmur(np.arange(number << 20, (number << 20) + count, dtype=np.uint32))
    return torch.from_numpy((bits >> 8) / 2.0**23 - 1).reshape(shape)


def lora(model):
    """Both factors of each adapter under PEFT's names, so that B A is about as large as the weight."""
    tensors = {}
    for i, name in enumerate(LORA):
        out, inner = model.get_submodule(name).weight.shape
        tensors[f"transformer.{name}.lora_A.weight"] = uniform(8 + 2 * i, RANK, inner) / 32
        tensors[f"transformer.{name}.lora_B.weight"] = uniform(9 + 2 * i, out, RANK)
    return tensors


def transformer(state, seen, dtype):
    """FLUX.1-dev's with a block of each kind; puts what it computes on the way into `seen`."""
    model = FluxTransformer2DModel(num_layers=1, num_single_layers=1, guidance_embeds=True)
    model.load_state_dict(state, strict=True)

    def double(module, inputs, output):
        seen["double.0.txt"], seen["double.0.img"] = output

    def single(module, inputs, output):
        seen["single.0"] = torch.cat(output, 1)

    model.time_text_embed.register_forward_hook(lambda module, inputs, output: seen.update(vec=output))
    model.transformer_blocks[0].register_forward_hook(double)
    model.single_transformer_blocks[0].register_forward_hook(single)
    return model.to(dtype).eval()


def velocity(model, z, dtype):
    """Of latents [1, 16, h, w]."""
    _, _, height, width = z.shape
    tokens = FluxPipeline._pack_latents(z, 1, 16, height, width)
    v = model(
        hidden_states=tokens,
        encoder_hidden_states=uniform(2, 1, 5, 4096).to(dtype),
        pooled_projections=uniform(3, 1, 768).to(dtype),
        timestep=torch.tensor([T_L], dtype=dtype),
        guidance=torch.tensor([GUIDANCE], dtype=dtype),
        img_ids=FluxPipeline._prepare_latent_image_ids(1, height // 2, width // 2, "cpu", dtype),
        txt_ids=torch.zeros(5, 3, dtype=dtype),
    ).sample
    return FluxPipeline._unpack_latents(v, 8 * height, 8 * width, 8)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def run(flux, ae, dtype):
    values, seen = {}, {}
    model = transformer(convert_flux_transformer_checkpoint_to_diffusers(dict(flux)), seen, dtype)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=16, scaling_factor=0.3611,
        shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False,
    )
    vae.load_state_dict(convert_ldm_vae_checkpoint(dict(ae), dict(vae.config)), strict=True)
    vae = vae.to(dtype).eval()

    z = (2 * uniform(1, 1, 32, 32, 16)).permute(0, 3, 1, 2).to(dtype)
    values["v"] = channels_last(velocity(model, z, dtype))
    values |= seen

    picture = uniform(4, 1, 32, 48, 3).permute(0, 3, 1, 2).to(dtype)
    z_L = (vae.encode(picture).latent_dist.mode() - vae.config.shift_factor) * vae.config.scaling_factor
    v = velocity(model, z_L, dtype)
    z_0hat = z_L - T_L * v
    x_0hat = vae.decode(z_0hat / vae.config.scaling_factor + vae.config.shift_factor).sample
    for name, value in {"encode": z_L, "transformer": v, "step": z_0hat, "decode": x_0hat}.items():
        values[f"restore.{name}"] = channels_last(value)

    model.load_lora_adapter({name: value.to(dtype) for name, value in lora(model).items()}, prefix="transformer")
    model.to(dtype)
    values["lora.v"] = channels_last(velocity(model, z, dtype))
    return {name: value.double().contiguous() for name, value in values.items()}


def float64_throughout():
    """Takes diffusers' roundings to float32 out: of times, angles and what RoPE turns."""
    torch.float32 = torch.float64
    torch.Tensor.float = torch.Tensor.double


def summary(values):
    """Every stride-th value, about 512, and the sums that README.md names."""
    flat = values.flatten()
    signs = 1 - 2 * torch.from_numpy((murmur(np.arange(len(flat), dtype=np.uint32)) & 1).astype(np.float64))
    stats = [flat.sum(), flat.abs().sum(), flat.square().sum().sqrt(), (flat * signs).sum()]
    return flat[:: max(1, len(flat) // 512) | 1], torch.stack(stats)


def main():
    torch.set_grad_enabled(False)
    [folder] = sys.argv[1:]
    files = [load_file(f"{folder}/{name}.safetensors") for name in ("flux1-dev", "ae")]
    single = run(*files, FLOAT32)
    float64_throughout()
    exact = run(*files, torch.float64)
    torch.float32 = FLOAT32
    tensors = {}
    for name, value in exact.items():
        values, stats = summary(value)
        tensors |= {name: values.to(FLOAT32), f"{name}@stats": stats.to(FLOAT32)}
        deviation = (single[name] - value).abs().max() / value.abs().max()
        print(f"{name} {list(value.shape)}: root mean square {value.square().mean().sqrt():.3f}, float32 {deviation:.1e}")
    save_file({name: value.contiguous() for name, value in tensors.items()}, f"{HERE}/expected.safetensors")


main()
