/** What tells the variants of a kernel apart: a constant, a dtype, a switch. */
type Choice = string | number | boolean;

interface Node<K> {
  readonly next: Map<Choice, Node<K>>;
  built?: K;
}

/**
 * `build`, but each variant is built once: `variants(build)({ dtype: "f32", bias: true })`.
 *
 * It is asked at every dispatch, so it goes down a tree, one choice a level, rather than make a key of them all. Every
 * variant makes every choice, as the type demands.
 */
export function variants<V extends Readonly<Record<keyof V, Choice>>, K>(build: (variant: V) => K): (variant: V) => K {
  const root: Node<K> = { next: new Map() };
  let choices: readonly (keyof V)[] | undefined;
  return (variant) => {
    choices ??= Object.keys(variant) as (keyof V)[];
    let node = root;
    for (const name of choices) {
      let next = node.next.get(variant[name]);
      if (!next) node.next.set(variant[name], next = { next: new Map() });
      node = next;
    }
    return node.built ??= build(variant);
  };
}
