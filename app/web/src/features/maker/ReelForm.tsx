import { type FormEvent, useState } from "react";
import { describe } from "../../api/problem";
import type { ExportJob, Media, ProbeInfo } from "../../api/types";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { StaleBanner } from "../../ui/StaleBanner";
import { CropPreview } from "./CropPreview";
import { panKeyframes } from "./crop";
import { checkDraft, type Draft, type DraftErrors, frameRange, newDraft } from "./draft";
import { GameFields } from "./GameFields";
import type { ReelOrder, Step } from "./makeReel";
import { useGameOf, useMakeReel } from "./useMakeReel";

const STEP_TEXT: Record<Step, string> = {
  game: "Saving the game…",
  clip: "Saving the clip…",
  project: "Creating the project…",
  crop: "Setting the crop…",
  export: "Starting the render…",
};

interface Props {
  media: Media;
  probe: ProbeInfo;
  previewUrl: string | null;
  onStarted: (job: ExportJob) => void;
}

/** Step 2: which seconds of which game, and how the vertical frame moves over them. */
export function ReelForm({ media, probe, previewUrl, onStarted }: Props) {
  const [draft, setDraft] = useState(() => newDraft(media.filename, probe, today()));
  const [errors, setErrors] = useState<DraftErrors>({});
  const game = useGameOf(media.id);
  const maker = useMakeReel(onStarted);
  const isBusy = maker.step !== null;
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const text = (name: "name" | "inSeconds" | "outSeconds") => ({
    name,
    value: draft[name],
    onChange: (event: { target: { value: string } }) => set({ [name]: event.target.value }),
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = checkDraft(draft, probe);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    const { inFrame, outFrame } = frameRange(draft, probe);
    const order: ReelOrder = {
      game: game ?? {
        opponent: draft.opponent.trim(),
        played_on: draft.playedOn,
        venue: draft.venue,
        media_ids: [media.id],
      },
      clip: {
        media_id: media.id,
        in_frame: inFrame,
        out_frame: outFrame,
        rating: draft.rating,
        tags: [],
        notes: "",
      },
      name: draft.name.trim(),
      keyframes: panKeyframes(probe, outFrame - inFrame, draft.panFrom / 100, draft.panTo / 100),
    };
    void maker.start(order);
  };

  return (
    <form onSubmit={submit} noValidate className="stack">
      {maker.isStale && <StaleBanner onRefresh={maker.refresh} />}
      <div className="fields">
        <Field label="Name of the reel" error={errors.name ?? null}>
          {(control) => <input {...control} {...text("name")} maxLength={80} />}
        </Field>
        <Field label="Start (seconds)" error={errors.inSeconds ?? null}>
          {(control) => <input {...control} {...text("inSeconds")} type="number" min={0} step="any" />}
        </Field>
        <Field label="End (seconds)" error={errors.outSeconds ?? null}>
          {(control) => <input {...control} {...text("outSeconds")} type="number" min={0} step="any" />}
        </Field>
      </div>
      <GameFields game={game} draft={draft} errors={errors} onChange={set} />
      <CropPreview
        probe={probe}
        src={previewUrl}
        seconds={Number(draft.inSeconds)}
        from={draft.panFrom}
        to={draft.panTo}
      />
      <div className="fields">
        <PanSlider label="Crop at the start" value={draft.panFrom} onChange={(panFrom) => set({ panFrom })} />
        <PanSlider label="Crop at the end" value={draft.panTo} onChange={(panTo) => set({ panTo })} />
      </div>
      {maker.error !== null && !maker.isStale && (
        <Notice tone="danger" actions={<Button onClick={maker.retry}>Try again</Button>}>
          <strong>The reel could not be started.</strong> {describe(maker.error)}
        </Notice>
      )}
      <div className="actions">
        <Button type="submit" disabled={isBusy}>
          Make the reel
        </Button>
        <span aria-live="polite" className="muted">
          {maker.step !== null && STEP_TEXT[maker.step]}
        </span>
      </div>
    </form>
  );
}

interface SliderProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
}

function PanSlider({ label, value, onChange }: SliderProps) {
  return (
    <Field label={label}>
      {(control) => (
        <div className="slider">
          <input
            {...control}
            type="range"
            min={0}
            max={100}
            value={value}
            onChange={(event) => onChange(Number(event.target.value))}
          />
          <output htmlFor={control.id} className="tabular">
            {value} %
          </output>
        </div>
      )}
    </Field>
  );
}

function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
