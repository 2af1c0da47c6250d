// What the warehouse holds.
import type { PipelineWarehouse } from "../api";
import { count, shortCount } from "../format";
import { LineChart } from "./chart";
import { FigureCard } from "./figure_card";
import { pointsOf, rowsOf } from "./figures";
import type { CardProps } from "./flow_cards";

const phases: Record<PipelineWarehouse["state"], string> = {
  waiting: "waits for its engine",
  catching_up: "is catching up with the log",
  following: "follows the log",
  paused: "holds still for a reader",
  refused: "cannot be gone on with",
};

export function WarehouseCard({ samples, last }: CardProps) {
  const { warehouse } = last;
  if (!warehouse) {
    return (
      <FigureCard
        name="warehouse"
        title="Rows in the warehouse"
        value="off"
        meaning="This server runs without a warehouse: feeds come from the index alone."
        wide
      />
    );
  }
  const rows = rowsOf(last);
  const { state, reason, tables } = warehouse;
  return (
    <FigureCard
      name="warehouse"
      title="Rows in the warehouse"
      value={rows === null ? "not available" : count(rows)}
      meaning={`The warehouse ${phases[state]}${reason ? `: ${reason}` : "."}`}
      wide
    >
      <div class="warehouse">
        <LineChart
          label={`Rows in the warehouse over two minutes, now ${rows === null ? "not known" : count(rows)}`}
          series={[{ name: "rows", points: pointsOf(samples, rowsOf) }]}
          now={last.at}
          format={shortCount}
        />
        {tables && <Tables tables={tables} />}
      </div>
    </FigureCard>
  );
}

const shownTables = 8;

function Tables({ tables }: { tables: NonNullable<PipelineWarehouse["tables"]> }) {
  const largest = [...tables].sort((a, b) => b.rows - a.rows).slice(0, shownTables);
  const most = largest[0]?.rows ?? 1;
  return (
    <table class="tables">
      <caption class="hidden">The largest tables</caption>
      <tbody>
        {largest.map(({ table, rows }) => (
          <tr key={table}>
            <th scope="row">{table}</th>
            <td>
              <span class="table-bar" style={{ width: `${(100 * rows) / most}%` }} />
            </td>
            <td class="number">{count(rows)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
