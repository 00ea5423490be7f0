/** The drawing itself, by uPlot, which is loaded only where something is drawn. */
import type uPlot from "uplot";
import { useEffect, useRef, useState } from "preact/hooks";
import { Note } from "../components/note.tsx";
import { language, t } from "../i18n.ts";
import { colours } from "../theme.ts";
import { type Drawing, type Listener, uplotOf } from "./options.ts";
import { nearestIndex } from "./series.ts";

type Library = typeof uPlot;

let library: Library | null = null;

async function load(): Promise<Library> {
  library = (await import("uplot")).default;
  return library;
}

interface Props extends Drawing, Listener {
  /** The drawing in a sentence, for who cannot see it. */
  label: string;
  at_ms: number | null;
}

export function Plot({ label, at_ms, onAt, onSpan, ...drawing }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<uPlot | null>(null);
  const [isMissing, setMissing] = useState(false);
  const listener = useRef<Listener>({ onAt, onSpan });
  listener.current = { onAt, onSpan };
  const { times_ms, series, span, marks, now_ms, isBelowTwoAxes, zone, height_px } = drawing;

  useEffect(() => {
    let isWanted = true;
    let made: uPlot | null = null;
    const observer = new ResizeObserver(([entry]) => {
      made?.setSize({ width: Math.floor(entry?.contentRect.width ?? 0), height: height_px });
    });
    const draw = (UPlot: Library) => {
      if (!isWanted || !box.current) return;
      const style = getComputedStyle(box.current);
      const palette = (name: string) => style.getPropertyValue(name).trim();
      const ears: Listener = {
        onAt: (time) => listener.current.onAt(time),
        onSpan: onSpan && ((chosen) => listener.current.onSpan?.(chosen)),
      };
      const { options, data } = uplotOf(drawing, palette, UPlot, ears, box.current.clientWidth);
      made = new UPlot(options, data, box.current);
      performance.mark("holdfast-chart"); // how long it took is to be seen in any browser
      observer.observe(box.current);
      setPlot(made);
    };
    // Once it is there, nobody waits for it: a chart that is drawn anew does not flicker.
    if (library) draw(library);
    else void load().then(draw, () => setMissing(true)); // without a network, before the first time
    return () => {
      isWanted = false;
      observer.disconnect();
      made?.destroy();
      setPlot(null);
    };
  }, [
    times_ms, series, span.start_ms, span.end_ms, marks, now_ms, isBelowTwoAxes, zone, height_px,
    onSpan === null, colours.value, language.value,
  ]);

  useEffect(() => {
    if (plot === null || at_ms === null || times_ms.length === 0) return;
    const index = nearestIndex(times_ms, at_ms);
    if (plot.cursor.idx === index) return;
    plot.setCursor({ left: plot.valToPos(times_ms[index] as number, "x"), top: 1 }, false);
  }, [plot, at_ms]);

  return (
    <>
      <div
        class="plot" ref={box} role="img" aria-label={label} data-points={times_ms.length}
        style={{ minHeight: height_px }}
      />
      {isMissing && <Note tone="unknown">{t("chart.missing")}</Note>}
    </>
  );
}
