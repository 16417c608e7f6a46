// What the page uses of preact-hooks.js, for the type checker alone.
export function useEffect(effect: () => void | (() => void), inputs?: unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: unknown[]): void;
export function useRef<T = any>(initial?: T): { current: T };
export function useState<T = any>(initial: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
export function useMemo<T = any>(make: () => T, inputs: unknown[]): T;
