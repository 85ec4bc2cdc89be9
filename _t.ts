import { openGpu } from "@fluxsr/kernels";
import { BUNDLED_MODEL, loadModel, readImage, upscale } from "@fluxsr/core";
const gpu = await openGpu();
const model = await loadModel(gpu, BUNDLED_MODEL);
const pic = await readImage(Deno.args[0]!);
const run=async(tile:number,ov?:number)=>(await upscale(model,pic,{scale:4,colorFix:"wavelet",tile,tileOverlap:ov}));
const ref=(await run(1024)).picture; 
for (const [t,o] of [[256,undefined],[256,64],[128,undefined],[128,32],[128,48]] as const) {
 const r=await run(t!,o); const p=r.picture; let s=0,m=0; for(let i=0;i<p.rgb.length;i++){const d=Math.abs(p.rgb[i]!-ref.rgb[i]!); s+=d; if(d>m){m=d;} }
 console.log(t,o,r.tiles,"mean",(s/p.rgb.length).toFixed(3),"max",m);
}
Deno.exit(0)
