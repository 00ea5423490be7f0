/** Takes a file of the API along. */
import { readFile } from "./api.ts";

/** Saves what is at `path` below /api/v1 as `name`. Throws ApiError. */
export async function download(path: string, name: string): Promise<void> {
  const content = URL.createObjectURL(await readFile(path));
  const link = document.createElement("a");
  link.href = content;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(content), 60_000); // some browsers take their time
}
