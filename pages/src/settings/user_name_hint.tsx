/** Tells password managers, and nobody else, whose password a form is about. */

export function UserNameHint({ name }: { name: string | null | undefined }) {
  return (
    <input
      class="unseen"
      autocomplete="username"
      value={name ?? ""}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
