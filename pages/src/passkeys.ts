/** Passkeys, between the API's JSON and what browsers take and give. */
import { ApiError, ask } from "./api.ts";
import { t } from "./i18n.ts";
import { authState, readSession } from "./session.ts";

interface Ceremony<Options> {
  ceremony: string;
  options: Options;
}

interface CredentialName {
  type: "public-key";
  id: string;
}

/** Bytes are base64url in it. */
interface RegistrationOptions
  extends Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials"> {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: CredentialName[];
}

interface LoginOptions
  extends Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> {
  challenge: string;
  allowCredentials?: CredentialName[];
}

/** Says why there can be none here; undefined if there can. */
export function whyNoPasskeys(): string | undefined {
  if (!authState.value?.passkeys) return t("passkeys.not_here", { address: location.origin });
  return "PublicKeyCredential" in window ? undefined : t("passkeys.not_this_browser");
}

/** Has the browser make a passkey, and registers it. Throws ApiError. */
export async function makePasskey(name: string): Promise<void> {
  const begun = await ask<Ceremony<RegistrationOptions>>("POST", "auth/passkeys/register/begin");
  const { challenge, user, excludeCredentials, ...others } = begun.options;
  const made = await byBrowser(() =>
    navigator.credentials.create({
      publicKey: {
        ...others,
        challenge: bytes(challenge),
        user: { ...user, id: bytes(user.id) },
        excludeCredentials: (excludeCredentials ?? []).map(withBytes),
      },
    }),
  );
  const answer = made.response as AuthenticatorAttestationResponse;
  const response = { attestationObject: text(answer.attestationObject) };
  const body = { ceremony: begun.ceremony, credential: credential(made, response), name };
  await ask("POST", "auth/passkeys/register/finish", body);
}

/** Logs in with a passkey. Throws ApiError. */
export async function logInWithPasskey(): Promise<void> {
  const begun = await ask<Ceremony<LoginOptions>>("POST", "auth/passkeys/login/begin");
  const { challenge, allowCredentials, ...others } = begun.options;
  const made = await byBrowser(() =>
    navigator.credentials.get({
      publicKey: {
        ...others,
        challenge: bytes(challenge),
        allowCredentials: (allowCredentials ?? []).map(withBytes),
      },
    }),
  );
  const answer = made.response as AuthenticatorAssertionResponse;
  const response = {
    authenticatorData: text(answer.authenticatorData),
    signature: text(answer.signature),
    userHandle: answer.userHandle ? text(answer.userHandle) : null,
  };
  const body = { ceremony: begun.ceremony, credential: credential(made, response) };
  await ask("POST", "auth/passkeys/login/finish", body);
  await readSession();
}

/** What a browser refuses, or somebody breaks off, is told as an answer that says no. */
async function byBrowser(act: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const made = await act();
    if (made instanceof PublicKeyCredential) return made;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === "InvalidStateError") throw new ApiError(409, t("passkeys.already"));
    if (error.name !== "NotAllowedError") throw new ApiError(400, error.message);
  }
  throw new ApiError(400, t("passkeys.broken_off"));
}

const credential = (made: PublicKeyCredential, response: Record<string, string | null>) => ({
  id: made.id,
  rawId: text(made.rawId),
  type: made.type,
  authenticatorAttachment: made.authenticatorAttachment,
  clientExtensionResults: made.getClientExtensionResults(),
  response: { clientDataJSON: text(made.response.clientDataJSON), ...response },
});

const withBytes = ({ type, id }: CredentialName) => ({ type, id: bytes(id) });

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
