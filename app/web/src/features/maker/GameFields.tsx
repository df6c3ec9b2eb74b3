import type { Game, Venue } from "../../api/types";
import { Field } from "../../ui/Field";
import type { Draft, DraftErrors } from "./draft";

interface Props {
  /** The video's game, when it has one: then there is nothing to fill in. */
  game: Game | null;
  draft: Draft;
  errors: DraftErrors;
  onChange: (change: Partial<Draft>) => void;
}

export function GameFields({ game, draft, errors, onChange }: Props) {
  const rating = (
    <Field label="Rating">
      {(control) => (
        <select
          {...control}
          value={draft.rating}
          onChange={(event) => onChange({ rating: Number(event.target.value) })}
        >
          {[5, 4, 3, 2, 1].map((value) => (
            <option key={value} value={value}>
              {"★".repeat(value)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  if (game !== null) {
    return (
      <div className="fields fields-known-game">
        <p className="game-line">
          <span className="muted">Game</span> <br />
          {game.opponent}, {game.played_on} ({game.venue})
        </p>
        {rating}
      </div>
    );
  }
  return (
    <div className="fields fields-game">
      <Field label="Opponent" error={errors.opponent ?? null}>
        {(control) => (
          <input
            {...control}
            value={draft.opponent}
            maxLength={80}
            onChange={(event) => onChange({ opponent: event.target.value })}
          />
        )}
      </Field>
      <Field label="Played on" error={errors.playedOn ?? null}>
        {(control) => (
          <input
            {...control}
            type="date"
            value={draft.playedOn}
            onChange={(event) => onChange({ playedOn: event.target.value })}
          />
        )}
      </Field>
      <Field label="Venue">
        {(control) => (
          <select
            {...control}
            value={draft.venue}
            onChange={(event) => onChange({ venue: event.target.value as Venue })}
          >
            <option value="home">Home</option>
            <option value="away">Away</option>
            <option value="tournament">Tournament</option>
          </select>
        )}
      </Field>
      {rating}
    </div>
  );
}
