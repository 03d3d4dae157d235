// What to say where Python does not answer, as while a cell runs.

const WAIT_MS = 1000;
const SILENT = "The kernel has not answered yet: a cell is running, or the kernel was restarted.";

/** Calls `onSilence` with a sentence where no `got` follows an `expect` for a second. */
function answers(signal, onSilence) {
  let timer = 0;
  const got = () => {
    clearTimeout(timer);
    timer = 0;
  };
  signal.addEventListener("abort", got);
  return { got, expect: () => { timer ||= setTimeout(onSilence, WAIT_MS, SILENT); } };
}
