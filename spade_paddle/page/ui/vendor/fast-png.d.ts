// What the page uses of fast-png.js, for the type checker alone.
type Pixels = { width: number; height: number; data: any; depth?: number; channels?: number };
type Decoded = Required<Pixels> & { palette?: number[][]; text?: Record<string, string> };
export function encode(image: Pixels & Record<string, unknown>): Uint8Array<ArrayBuffer>;
export function decode(file: ArrayBuffer | Uint8Array, options?: { checkCrc: boolean }): Decoded;
