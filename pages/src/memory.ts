/** What this browser remembers of how somebody likes to see the pages. It may refuse to. */

export function recall(name: string): string | undefined {
  try {
    return localStorage.getItem(`holdfast.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`holdfast.${name}`, value);
  } catch {
    // Private windows keep nothing; the page works all the same.
  }
}
