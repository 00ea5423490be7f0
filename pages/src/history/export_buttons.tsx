/** Takes what is shown along as a file. */
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import type { Span } from "../chart/series.ts";
import { Failure } from "../components/answered.tsx";
import { download } from "../download.ts";
import { t } from "../i18n.ts";
import { may } from "../session.ts";
import { utc } from "./view.ts";

const FORMATS = [
  { format: "csv", name: "CSV" },
  { format: "parquet", name: "Parquet" },
] as const;

export function ExportButtons({ keys, span }: { keys: readonly string[]; span: Span }) {
  const [making, setMaking] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const isAllowed = may("history.export");
  const take = async (format: string) => {
    const [start, end] = [utc(span.start_ms), utc(span.end_ms)];
    const query = new URLSearchParams({ format, start, end });
    for (const key of keys) query.append("series", key);
    setMaking(format);
    setError(null);
    try {
      const name = `holdfast_${start}_${end}.${format}`.replaceAll(":", "");
      await download(`history/export?${query}`, name);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
    } finally {
      setMaking(null);
    }
  };
  return (
    <div class="export">
      {FORMATS.map(({ format, name }) => (
        <button
          key={format} type="button" class="small"
          disabled={!isAllowed || keys.length === 0 || making !== null}
          onClick={() => void take(format)}
        >
          {making === format ? t("history.making") : t("history.export", { format: name })}
        </button>
      ))}
      {!isAllowed && <p class="hint">{t("history.no_export")}</p>}
      <div role="alert">{error && <Failure error={error} />}</div>
    </div>
  );
}
