import type { Media } from "../../api/types";
import { Field } from "../../ui/Field";
import { formatDuration } from "../../ui/format";
import { useReadyMedia } from "./queries";

/** Videos of earlier uploads; nothing while there are none. */
export function MediaPicker({ onPick }: { onPick: (media: Media) => void }) {
  const media = useReadyMedia();
  if (media.length === 0) return null;
  return (
    <Field label="Or use an earlier upload">
      {(control) => (
        <select
          {...control}
          value=""
          onChange={(event) => {
            const picked = media.find(({ id }) => id === event.target.value);
            if (picked) onPick(picked);
          }}
        >
          <option value="" disabled>
            Choose…
          </option>
          {media.map(({ id, filename, probe }) => (
            <option key={id} value={id}>
              {filename} ({formatDuration(probe?.duration_ms ?? 0)})
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
