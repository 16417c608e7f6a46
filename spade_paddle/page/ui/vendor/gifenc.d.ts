// What the page uses of gifenc.js, for the type checker alone.
type Color = number[];
type Frame = { palette: Color[]; delay: number; transparent?: boolean; transparentIndex?: number; dispose?: number };
type Encoder = {
  writeFrame(index: Uint8Array, width: number, height: number, frame: Frame): void;
  finish(): void;
  bytes(): Uint8Array<ArrayBuffer>;
};
export function GIFEncoder(): Encoder;
export function quantize(rgba: Uint8Array | Uint8ClampedArray, most: number): Color[];
export function applyPalette(rgba: Uint8Array | Uint8ClampedArray, palette: Color[]): Uint8Array;
