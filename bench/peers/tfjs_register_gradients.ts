import { registerHooks } from "node:module";

/**
 * Makes the gradients of TensorFlow.js's ops known to it. They are in none of the library's bundles, only in modules that
 * leave ".js" out when they import each other, as bundlers let them: it is put back here.
 */
export async function registerGradients(): Promise<void> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const bare = /^\.\.?\/.*(?<!\.js)$/.test(specifier) && context.parentURL?.includes("/tfjs-core/dist/");
      return next(bare ? `${specifier}.js` : specifier, context);
    },
  });
  try {
    await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  } finally {
    hooks.deregister();
  }
}
