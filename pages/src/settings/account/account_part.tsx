/** One's own account: password, second factors, and where one is logged in. */
import { PasskeysCard } from "./passkeys_card.tsx";
import { PasswordCard } from "./password_card.tsx";
import { SessionsCard } from "./sessions_card.tsx";
import { TotpCard } from "./totp_card.tsx";

export function AccountPart() {
  return (
    <>
      <div class="column">
        <PasswordCard />
        <SessionsCard />
      </div>
      <div class="column">
        <TotpCard />
        <PasskeysCard />
      </div>
    </>
  );
}
