/** One device. */
import { Card } from "../components/card.tsx";
import { Note } from "../components/note.tsx";
import { Pill, Sign, type Tone } from "../components/pill.tsx";
import { Table } from "../components/table.tsx";
import type { Comms, Device, DeviceReading, Proof } from "../contract.ts";
import { amount, dateAndClock, number, span } from "../format.ts";
import { named, t } from "../i18n.ts";

const QUALITY_TONES: Record<string, Tone> = {
  good: "ok",
  stale: "attention",
  bad: "fault",
  missing: "unknown",
};

export function DeviceCard({ device }: { device: Device }) {
  const { comms } = device;
  const tone: Tone = comms === null ? "unknown" : comms.why_silent ? "fault" : "ok";
  return (
    <Card
      title={device.name}
      aside={
        <Pill tone={tone}>
          {comms === null ? t("link.no_data") : comms.why_silent ? t("devices.silent") : t("devices.answers")}
        </Pill>
      }
    >
      <p class="muted">
        {Object.keys(device.roles).map((role) => named("device_role", role)).join(", ")} ·{" "}
        {device.table} · {device.where}
      </p>
      {comms?.why_silent && <Note tone="fault">{comms.why_silent}</Note>}
      {comms && <Counters comms={comms} />}
      <Readings readings={device.readings} />
      {device.proof ? (
        <ProofOf proof={device.proof.proof} isCurrent={device.proof.current} />
      ) : (
        "inverter" in device.roles && <Note tone="info">{t("devices.not_proven")}</Note>
      )}
    </Card>
  );
}

function Counters({ comms }: { comms: Comms }) {
  const counts = [
    { name: t("devices.reads"), value: number(comms.reads, 0) },
    { name: t("devices.writes"), value: number(comms.writes, 0) },
    { name: t("devices.errors"), value: number(comms.errors, 0) },
    { name: t("column.failed"), value: number(comms.failed_of_last_100, 0) },
    { name: t("column.heard"), value: span(comms.heard_s_ago) },
  ];
  return (
    <>
      <dl class="facts">
        {counts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="figure">{value}</dd>
          </div>
        ))}
      </dl>
      {comms.last_error && (
        <p class="muted">{t("devices.last_error", { error: comms.last_error })}</p>
      )}
    </>
  );
}

function Readings({ readings }: { readings: DeviceReading[] }) {
  return (
    <Table
      caption={t("devices.readings")}
      rows={readings}
      keyOf={(one) => `${one.owner}/${one.signal}`}
      empty={t("devices.no_readings")}
      columns={[
        { head: t("column.reading"), cell: (one) => named("signal", one.signal) },
        { head: t("column.value"), cell: valueOf, isNumber: true },
        {
          head: t("column.quality"),
          cell: (one) => (
            <Pill tone={QUALITY_TONES[one.quality] ?? "unknown"}>{named("quality", one.quality)}</Pill>
          ),
        },
        { head: t("column.age"), cell: (one) => span(one.age_s), isNumber: true },
      ]}
    />
  );
}

function valueOf({ value, unit }: DeviceReading): string {
  if (unit !== "0/1" || value === null) return amount(value, unit);
  return t(value > 0 ? "value.yes" : "value.no");
}

/** What was seen on the device when it was told to do something. */
function ProofOf({ proof, isCurrent }: { proof: Proof; isCurrent: boolean }) {
  const isProven = proof.reason === "" && isCurrent;
  return (
    <section aria-label={t("devices.proof")}>
      <h3>{t("devices.proof")}</h3>
      <Note tone={isProven ? "ok" : "attention"}>
        {t("devices.proof_made", {
          date: dateAndClock(proof.utc),
          power: amount(proof.power_w, "W"),
          response: span(proof.response_s),
        })}{" "}
        {proof.reason}
        {!isCurrent && ` ${t("devices.proof_old")}`}
      </Note>
      <ul class="checks">
        {proof.steps.map((step) => (
          <li key={step.name}>
            <Sign tone={step.passed ? "ok" : "attention"} />
            {step.told}
          </li>
        ))}
      </ul>
    </section>
  );
}
