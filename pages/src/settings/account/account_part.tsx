/** One's own account: password, second factors, where one is logged in, and told. */
import { PasskeysCard } from "./passkeys_card.tsx";
import { PasswordCard } from "./password_card.tsx";
import { PushCard } from "./push_card.tsx";
import { SessionsCard } from "./sessions_card.tsx";
import { TotpCard } from "./totp_card.tsx";

export function AccountPart() {
  return (
    <>
      <div class="column">
        <PasswordCard />
        <SessionsCard />
        <PushCard />
      </div>
      <div class="column">
        <TotpCard />
        <PasskeysCard />
      </div>
    </>
  );
}
