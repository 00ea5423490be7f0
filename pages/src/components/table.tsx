/** A table of rows of one kind. Numbers stand right, one below the other. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n.ts";

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  isNumber?: boolean;
}

interface Props<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Stands in the place of a table without rows. */
  empty?: string;
}

/** More columns than these stand one below the other on a phone. */
const FITS_PHONE = 3;

/** The roles are written out: some browsers forget them once rows are laid out otherwise. */
export function Table<Row>({ caption, columns, rows, keyOf, empty }: Props<Row>) {
  if (rows.length === 0) return <p class="muted">{empty ?? t("table.empty")}</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={caption}>
      <table role="table" class={columns.length > FITS_PHONE ? "stacks" : undefined}>
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                role="columnheader"
                class={column.isNumber ? "number" : undefined}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={keyOf(row)}>
              {columns.map((column, index) => {
                const style = column.isNumber ? "number" : undefined;
                return index === 0 ? (
                  <th key={column.head} scope="row" role="rowheader" class={style}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td role="cell" key={column.head} class={style} data-head={column.head}>
                    {column.cell(row)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
