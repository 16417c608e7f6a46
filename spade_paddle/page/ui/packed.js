// Label ids packed for keeping: runs of the same id, because doodles are made of large areas.

/** Pack bytes. Where runs would take more room than the bytes themselves, those are kept. */
export function pack(values) {
  let runs = values.length ? 1 : 0;
  for (let i = 1; i < values.length; i += 1) if (values[i] !== values[i - 1]) runs += 1;
  const bytes = runs * (1 + Uint32Array.BYTES_PER_ELEMENT);
  if (bytes >= values.length) return { raw: values, bytes: values.length };
  const ids = new Uint8Array(runs);
  const ends = new Uint32Array(runs);
  let run = 0;
  for (let i = 1; i <= values.length; i += 1) {
    if (i < values.length && values[i] === values[i - 1]) continue;
    ids[run] = values[i - 1];
    ends[run] = i;
    run += 1;
  }
  return { ids, ends, bytes };
}

/** The bytes that were packed. */
export function unpack({ raw, ids, ends }) {
  if (raw) return raw;
  const values = new Uint8Array(ends.length ? ends[ends.length - 1] : 0);
  ids.forEach((id, run) => values.fill(id, run ? ends[run - 1] : 0, ends[run]));
  return values;
}
