/** Notifications on this device, and in which other browsers one is told. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { useAnswer } from "../../answer.ts";
import { ActionButton } from "../../components/action_button.tsx";
import { Answered } from "../../components/answered.tsx";
import { Card } from "../../components/card.tsx";
import { Entries, Entry } from "../../components/entries.tsx";
import { Note } from "../../components/note.tsx";
import { Pill } from "../../components/pill.tsx";
import type { PushTold } from "../../contract.ts";
import { dateAndClock } from "../../format.ts";
import { t } from "../../i18n.ts";
import {
  type PushDevice, pushDevice, removePush, switchPushOff, switchPushOn, tryPush,
} from "../../push.ts";

export function PushCard() {
  const answer = useAnswer<PushTold>("notices/push");
  const [device, setDevice] = useState<PushDevice | null>(null);
  const told = answer.value;
  const look = useCallback(() => {
    if (told) void pushDevice(told).then(setDevice);
  }, [told]);
  useEffect(look, [look]);
  const isOn = told?.browsers.some((browser) => browser.id === device?.id) ?? false;
  return (
    <Card
      title={t("push.title")}
      aside={device && <Pill tone={isOn ? "ok" : "unknown"}>{t(isOn ? "push.on" : "push.off")}</Pill>}
    >
      <p class="muted">{t("push.lead")}</p>
      <Answered answer={answer}>
        {(known) => (
          <>
            {device && <ThisDevice told={known} device={device} isOn={isOn} onDone={answer.again} />}
            <OtherBrowsers told={known} device={device} onDone={answer.again} />
          </>
        )}
      </Answered>
    </Card>
  );
}

interface DeviceProps {
  told: PushTold;
  device: PushDevice;
  isOn: boolean;
  onDone: () => void;
}

function ThisDevice({ told, device, isOn, onDone }: DeviceProps) {
  const [isSent, setSent] = useState(false);
  const { id, why_not } = device;
  const { public_key } = told;
  if (why_not !== undefined || public_key === null) return <Note tone="info">{why_not}</Note>;
  if (!isOn || id === null) {
    const switchOn = async () => {
      await switchPushOn(public_key);
      onDone();
    };
    return <ActionButton label={t("push.switch_on")} onAct={switchOn} primary />;
  }
  const tryIt = async () => {
    setSent(false);
    await tryPush(id).finally(onDone);
    setSent(true);
  };
  const switchOff = async () => {
    await switchPushOff(id);
    onDone();
  };
  return (
    <>
      {isSent && (
        <Note tone="ok" role="status">
          {t("push.sent")}
        </Note>
      )}
      <div class="actions">
        <ActionButton label={t("push.try")} onAct={tryIt} />
        <ActionButton label={t("push.switch_off")} onAct={switchOff} />
      </div>
    </>
  );
}

interface OthersProps {
  told: PushTold;
  device: PushDevice | null;
  onDone: () => void;
}

function OtherBrowsers({ told, device, onDone }: OthersProps) {
  const others = told.browsers.filter((browser) => browser.id !== device?.id);
  if (others.length === 0) return null;
  return (
    <>
      <h3>{t("push.others")}</h3>
      <Entries label={t("push.others")}>
        {others.map((browser) => (
          <Entry
            key={browser.id}
            title={browser.name}
            facts={[t("push.since", { time: dateAndClock(browser.made) })]}
            actions={
              <ActionButton
                label={t("schedule.remove")}
                of={`${browser.name}, ${dateAndClock(browser.made)}`}
                question={t("push.remove_question", { name: browser.name })}
                onAct={() => removePush(browser.id).then(onDone)}
              />
            }
          />
        ))}
      </Entries>
    </>
  );
}
