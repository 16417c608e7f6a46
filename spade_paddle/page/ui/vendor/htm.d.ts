// What the page uses of htm.js, for the type checker alone.
type Template = (parts: TemplateStringsArray, ...values: unknown[]) => any;
declare const htm: { bind(h: Function): Template };
export default htm;
