import sharp from "sharp";
const w=3000,h=2000;const rgb=new Uint8Array(w*h*3);let s=1;for(let y=0;y<h;y++)for(let x=0;x<w;x++)for(let c=0;c<3;c++){s=(Math.imul(s,1664525)+1013904223)>>>0;rgb[(y*w+x)*3+c]=128+60*Math.sin(x/9+c)+50*Math.cos(y/13*(1+c))+(s>>>28)}
const b=()=>sharp(rgb,{raw:{width:w,height:h,channels:3}});
for(const [n,f] of Object.entries({webp_smart:()=>b().webp({quality:95,smartSubsample:true}),webp:()=>b().webp({quality:95}),webp_e6:()=>b().webp({quality:95,effort:2,smartSubsample:true}),avif:()=>b().avif({quality:85}),avif_e2:()=>b().avif({quality:85,effort:2}),pngf:()=>b().png({adaptiveFiltering:true}),png:()=>b().png({})})){const t=performance.now();const o=await f().toBuffer();console.log(n,Math.round(performance.now()-t),o.length)}
