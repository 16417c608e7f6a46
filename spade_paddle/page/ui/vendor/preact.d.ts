// What the page uses of preact.js, for the type checker alone.
export function h(type: unknown, props?: object | null, ...children: unknown[]): object;
export function render(tree: unknown, parent: Element): void;
