/** QR codes after ISO/IEC 18004: bytes, at level L, in versions 1 to 20. */

/** True is a dark module; the quiet zone around it is left to who draws. */
export type Modules = boolean[][];

/** Of each version: error correction codewords in a block, and how many blocks there are. */
const VERSIONS: readonly (readonly [number, number])[] = [
  [7, 1], [10, 1], [15, 1], [20, 1], [26, 1], [18, 2], [20, 2], [24, 2], [30, 2], [18, 4],
  [20, 4], [24, 4], [26, 4], [30, 4], [22, 6], [24, 6], [28, 6], [30, 6], [28, 7], [28, 8],
];
const LEVEL_L = 0b01;
const MODE_BYTES = 0b0100;
const PADS = [0xec, 0x11];
const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (i, j) => (i + j) % 2 === 0,
  (i) => i % 2 === 0,
  (_, j) => j % 3 === 0,
  (i, j) => (i + j) % 3 === 0,
  (i, j) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2 === 0,
  (i, j) => ((i * j) % 2) + ((i * j) % 3) === 0,
  (i, j) => (((i * j) % 2) + ((i * j) % 3)) % 2 === 0,
  (i, j) => (((i + j) % 2) + ((i * j) % 3)) % 2 === 0,
];

/** Returns the code of `text`; null if it is too long for one (858 bytes). */
export function qrCode(text: string): Modules | null {
  const bytes = new TextEncoder().encode(text);
  const version = VERSIONS.findIndex((_, index) => room(index + 1) >= bytes.length) + 1;
  if (version === 0) return null;
  const { modules, isFixed } = frame(version);
  place(modules, isFixed, interleaved(version, codewords(version, bytes)));
  const masked = MASKS.map((_, mask) => withMask(modules, isFixed, mask));
  return masked.reduce((best, other) => (penalty(other) < penalty(best) ? other : best));
}

// --- Codewords -----------------------------------------------------------------------------------

const sizeOf = (version: number): number => 17 + 4 * version;
const countBits = (version: number): number => (version < 10 ? 8 : 16);

/** How many codewords, of data and correction, a version holds. */
function capacity(version: number): number {
  const aligned = version === 1 ? 0 : Math.floor(version / 7) + 2;
  const alignment = aligned === 0 ? 0 : (25 * aligned - 10) * aligned - 55;
  const bits = (16 * version + 128) * version + 64 - alignment - (version >= 7 ? 36 : 0);
  return Math.floor(bits / 8);
}

function dataLength(version: number): number {
  const [correction, blocks] = VERSIONS[version - 1] ?? [0, 0];
  return capacity(version) - correction * blocks;
}

const room = (version: number): number =>
  Math.floor((dataLength(version) * 8 - 4 - countBits(version)) / 8);

function codewords(version: number, bytes: Uint8Array): number[] {
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let bit = count - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
  };
  put(MODE_BYTES, 4);
  put(bytes.length, countBits(version));
  bytes.forEach((byte) => put(byte, 8));
  put(0, Math.min(4, dataLength(version) * 8 - bits.length));
  put(0, -bits.length & 7);
  const found = Array.from({ length: bits.length / 8 }, (_, index) =>
    bits.slice(index * 8, index * 8 + 8).reduce((byte, bit) => byte * 2 + bit, 0),
  );
  for (let turn = 0; found.length < dataLength(version); turn++) found.push(PADS[turn % 2] ?? 0);
  return found;
}

/** The blocks of data and of their correction, a codeword of each in turn. */
function interleaved(version: number, data: number[]): number[] {
  const [correction, count] = VERSIONS[version - 1] ?? [0, 1];
  const short = Math.floor(data.length / count);
  const longOnes = data.length % count;
  const generator = generatorOf(correction);
  let at = 0;
  const blocks = Array.from({ length: count }, (_, index) => {
    const length = short + (index < count - longOnes ? 0 : 1);
    return data.slice(at, (at += length));
  });
  const corrections = blocks.map((block) => remainder(block, generator));
  return [...inTurn(blocks), ...inTurn(corrections)];
}

function inTurn(blocks: number[][]): number[] {
  const longest = Math.max(...blocks.map((block) => block.length));
  return Array.from({ length: longest }, (_, index) =>
    blocks.flatMap((block) => block[index] ?? []),
  ).flat();
}

// --- Reed-Solomon over GF(256), 0x11d ------------------------------------------------------------

function times(x: number, y: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((y >> bit) & 1) * x;
  }
  return product;
}

/** The coefficients of (x - 1)(x - 2)(x - 4)..., without the leading 1. */
function generatorOf(degree: number): number[] {
  let found = [1];
  let root = 1;
  for (let step = 0; step < degree; step++) {
    found = [...found, 0].map((value, index) => value ^ times(found[index - 1] ?? 0, root));
    root = times(root, 2);
  }
  return found.slice(1);
}

function remainder(data: number[], generator: number[]): number[] {
  return data.reduce<number[]>((rest, value) => {
    const factor = value ^ (rest[0] ?? 0);
    return generator.map((part, index) => (rest[index + 1] ?? 0) ^ times(part, factor));
  }, generator.map(() => 0));
}

// --- Modules -------------------------------------------------------------------------------------

interface Frame {
  modules: Modules;
  /** What carries no data. */
  isFixed: boolean[][];
}

const grid = (size: number): boolean[][] =>
  Array.from({ length: size }, () => new Array<boolean>(size).fill(false));

/** All that is the same whatever the data are; where the format stands is only kept free. */
function frame(version: number): Frame {
  const size = sizeOf(version);
  const found: Frame = { modules: grid(size), isFixed: grid(size) };
  for (let at = 0; at < size; at++) {
    set(found, 6, at, at % 2 === 0);
    set(found, at, 6, at % 2 === 0);
  }
  const centres = alignmentCentres(version);
  const last = centres.length - 1;
  centres.forEach((row, i) =>
    centres.forEach((column, j) => {
      const isInFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!isInFinder) square(found, row, column, 2, [0, 2]);
    }),
  );
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]] as const) {
    square(found, row, column, 4, [0, 1, 3]);
  }
  for (let at = 0; at < 9; at++) {
    if (at !== 6) set(found, 8, at, false);
    if (at !== 6) set(found, at, 8, false);
    if (at < 8) set(found, 8, size - 1 - at, false);
    if (at < 8) set(found, size - 1 - at, 8, false);
  }
  if (version >= 7) putVersion(found, version);
  return found;
}

function set({ modules, isFixed }: Frame, row: number, column: number, isDark: boolean): void {
  const [line, fixed] = [modules[row], isFixed[row]];
  if (!line || !fixed || column < 0 || column >= line.length) return;
  line[column] = isDark;
  fixed[column] = true;
}

/** Squares around each other; those at the distances in `dark` are dark. */
function square(frame: Frame, row: number, column: number, reach: number, dark: number[]): void {
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const distance = Math.max(Math.abs(down), Math.abs(right));
      set(frame, row + down, column + right, dark.includes(distance));
    }
  }
}

function alignmentCentres(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
  const last = sizeOf(version) - 7;
  return [6, ...Array.from({ length: count - 1 }, (_, index) => last - (count - 2 - index) * step)];
}

/** Appends the remainder of a division of polynomials of bits. */
function withCheck(value: number, bits: number, divisor: number): number {
  let rest = value << bits;
  for (let bit = 31 - Math.clz32(rest); bit >= bits; bit--) {
    if ((rest >> bit) & 1) rest ^= divisor << (bit - bits);
  }
  return (value << bits) | rest;
}

function putVersion(frame: Frame, version: number): void {
  const bits = withCheck(version, 12, 0x1f25);
  const size = frame.modules.length;
  for (let index = 0; index < 18; index++) {
    const [far, near] = [size - 11 + (index % 3), Math.floor(index / 3)];
    const isDark = ((bits >> index) & 1) === 1;
    set(frame, far, near, isDark);
    set(frame, near, far, isDark);
  }
}

/** Puts the data in pairs of columns, from the right, up and down in turn. */
function place(modules: Modules, isFixed: boolean[][], data: number[]): void {
  const size = modules.length;
  let bit = 0;
  for (let pair = 0; pair < (size - 1) / 2; pair++) {
    const right = size - 1 - 2 * pair - (size - 1 - 2 * pair <= 6 ? 1 : 0);
    for (let step = 0; step < size; step++) {
      const row = pair % 2 === 0 ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        const line = modules[row];
        if (!line || isFixed[row]?.[column]) continue;
        line[column] = (((data[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        bit++;
      }
    }
  }
}

function withMask(modules: Modules, isFixed: boolean[][], mask: number): Modules {
  const isFlipped = MASKS[mask] ?? (() => false);
  const masked = modules.map((line, row) =>
    line.map((dark, column) => (isFixed[row]?.[column] ? dark : dark !== isFlipped(row, column))),
  );
  putFormat({ modules: masked, isFixed: grid(modules.length) }, mask);
  return masked;
}

function putFormat(frame: Frame, mask: number): void {
  const bits = withCheck((LEVEL_L << 3) | mask, 10, 0x537) ^ 0x5412;
  const size = frame.modules.length;
  const around = [0, 1, 2, 3, 4, 5, 7, 8];
  for (let index = 0; index < 15; index++) {
    const isDark = ((bits >> index) & 1) === 1;
    if (index < 8) set(frame, around[index] ?? 0, 8, isDark);
    else set(frame, 8, around[14 - index] ?? 0, isDark);
    if (index < 8) set(frame, 8, size - 1 - index, isDark);
    else set(frame, size - 15 + index, 8, isDark);
  }
  set(frame, size - 8, 8, true);
}

/** How hard a code is to read: runs, blocks, what looks like a finder, and imbalance. */
function penalty(modules: Modules): number {
  const size = modules.length;
  const lines = modules.map((line) => line.map((dark) => (dark ? "1" : "0")).join(""));
  const columns = modules.map((_, at) => lines.map((line) => line[at]).join(""));
  let total = 0;
  for (const line of [...lines, ...columns]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) total += run.length - 2;
    total += 40 * (line.match(/(?=10111010000|00001011101)/g) ?? []).length;
  }
  for (let row = 1; row < size; row++) {
    for (let column = 1; column < size; column++) {
      const [above, here] = [lines[row - 1], lines[row]];
      const pair = here?.slice(column - 1, column + 1);
      if ((pair === "00" || pair === "11") && above?.slice(column - 1, column + 1) === pair) total += 3;
    }
  }
  const dark = lines.join("").replaceAll("0", "").length;
  return total + 10 * Math.floor(Math.abs((dark * 100) / size ** 2 - 50) / 5);
}
