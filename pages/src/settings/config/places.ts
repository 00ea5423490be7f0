/** Where in a site.yaml something stands that the API names, such as storage[0].operation.soc_min_pct. */

const NAMES_LINE = /\bline (\d+)\b/;
const FILE = /^\S+\.ya?ml: /;
const PATH = /^([\w-]+(?:\[\d+\]|\.[\w-]+)*)\s*[:,]/;

/** The number of the line that a sentence is about, from 1; null if it names no place.
 *
 * A path is followed as far as it leads: what stands within {} is found at the line where that begins.
 */
export function lineOf(sentence: string, yaml: string): number | null {
  const named = NAMES_LINE.exec(sentence)?.[1];
  if (named) return Number(named);
  const path = PATH.exec(sentence.replace(FILE, ""))?.[1];
  return path ? follow(path.match(/[\w-]+/g) ?? [], yaml.split("\n")) : null;
}

function follow(names: string[], lines: string[]): number | null {
  let found: number | null = null;
  let [from, to] = [0, lines.length];
  for (const name of names) {
    const at = /^\d+$/.test(name) ? item(lines, from, to, Number(name)) : key(lines, from, to, name);
    if (at === null) break;
    found = at;
    const isItem = /^\s*-\s/.test(lines[at] ?? "");
    // A key that follows the dash of an item is one of the item's.
    if (isItem) lines[at] = (lines[at] ?? "").replace("-", " ");
    [from, to] = [isItem ? at : at + 1, endOf(lines, at, to, isItem)];
  }
  return found === null ? null : found + 1;
}

const depth = (line: string): number => line.length - line.trimStart().length;
const isContent = (line: string | undefined): line is string =>
  line !== undefined && /^\s*[^\s#]/.test(line);

function firstDepth(lines: string[], from: number, to: number): number {
  return depth(lines.slice(from, to).find(isContent) ?? "");
}

function key(lines: string[], from: number, to: number, name: string): number | null {
  const wanted = firstDepth(lines, from, to);
  for (let at = from; at < to; at++) {
    const line = lines[at];
    if (isContent(line) && depth(line) === wanted && line.trim().startsWith(`${name}:`)) return at;
  }
  return null;
}

function item(lines: string[], from: number, to: number, index: number): number | null {
  const wanted = firstDepth(lines, from, to);
  let left = index;
  for (let at = from; at < to; at++) {
    const line = lines[at];
    if (!isContent(line) || depth(line) !== wanted || !/^\s*-\s/.test(line)) continue;
    if (left-- === 0) return at;
  }
  return null;
}

/** What belongs to a key is deeper than it, or a list that begins below it. */
function endOf(lines: string[], at: number, to: number, isItem: boolean): number {
  const mine = depth(lines[at] ?? "") - (isItem ? 1 : 0);
  for (let next = at + 1; next < to; next++) {
    const line = lines[next];
    if (!isContent(line) || depth(line) > mine) continue;
    if (depth(line) === mine && !isItem && line.trimStart().startsWith("- ")) continue;
    return next;
  }
  return to;
}
