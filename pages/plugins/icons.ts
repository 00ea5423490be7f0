/** The icons and the manifest: one drawing, as SVG and as the PNG sizes that phones ask for. */
import { crc32, deflateSync } from "node:zlib";
import type { Plugin } from "vite";

type Point = readonly [number, number];

const GROUND = "#0f3d3e";
const SHIELD = "#f4f7f6";
const BOLT = "#e8a317";

/** On a field of 100 by 100: a shield with a bolt. */
const SHIELD_POINTS: readonly Point[] = [
  [50, 16], [78, 26], [78, 50], [74, 63], [66, 73], [50, 84], [34, 73], [26, 63], [22, 50], [22, 26],
];
const BOLT_POINTS: readonly Point[] = [[55, 27], [35, 53], [48, 53], [44, 73], [65, 45], [52, 45]];
const CORNER = 20;
const SIZES = [180, 192, 512] as const;
const SAMPLES = 4;

function svg(): string {
  const polygon = (points: readonly Point[], fill: string) =>
    `<polygon points="${points.map((point) => point.join(",")).join(" ")}" fill="${fill}"/>`;
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">' +
    `<rect width="100" height="100" rx="${CORNER}" fill="${GROUND}"/>` +
    `${polygon(SHIELD_POINTS, SHIELD)}${polygon(BOLT_POINTS, BOLT)}</svg>`
  );
}

function isInside(x: number, y: number, points: readonly Point[]): boolean {
  let inside = false;
  points.forEach(([x1, y1], index) => {
    const [x2, y2] = points[(index + 1) % points.length] as Point;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  });
  return inside;
}

function colourAt(x: number, y: number): string {
  if (isInside(x, y, BOLT_POINTS)) return BOLT;
  return isInside(x, y, SHIELD_POINTS) ? SHIELD : GROUND;
}

/** The mean of a few samples in each pixel, so that slanted edges are smooth. */
function pixel(column: number, row: number, size: number): number[] {
  const sum = [0, 0, 0];
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const x = ((column + ((sample % SAMPLES) + 0.5) / SAMPLES) * 100) / size;
    const y = ((row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) * 100) / size;
    const colour = parseInt(colourAt(x, y).slice(1), 16);
    [colour >> 16, (colour >> 8) & 255, colour & 255].forEach((part, index) => {
      sum[index] = (sum[index] ?? 0) + part;
    });
  }
  return sum.map((part) => Math.round(part / (SAMPLES * SAMPLES)));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A square PNG without corners cut: phones cut them as they like. */
function png(size: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a colour, RGB
  const rows: number[] = [];
  for (let row = 0; row < size; row++) {
    rows.push(0);
    for (let column = 0; column < size; column++) rows.push(...pixel(column, row, size));
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function manifest(): string {
  return JSON.stringify({
    name: "Holdfast",
    short_name: "Holdfast",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: GROUND,
    theme_color: GROUND,
    icons: [
      { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
      ...SIZES.map((size) => ({
        src: `icon-${size}.png`,
        sizes: `${size}x${size}`,
        type: "image/png",
        purpose: "any maskable",
      })),
    ],
  });
}

export function icons(): Plugin {
  return {
    name: "holdfast-icons",
    apply: "build",
    generateBundle() {
      const emit = (fileName: string, source: string | Buffer) =>
        this.emitFile({ type: "asset", fileName, source });
      emit("icon.svg", svg());
      emit("manifest.webmanifest", manifest());
      for (const size of SIZES) emit(`icon-${size}.png`, png(size));
    },
  };
}
