// What to say where Python does not answer, as while a cell runs.

const WAIT_MS = 1000;
const SILENT = "The kernel has not answered yet: a cell is running, or the kernel was restarted. "
  + "After a restart, run this cell again.";

/** Calls `onSilence` with a sentence where no `got` follows an `expect` in time. */
function answers(signal, onSilence) {
  let timer = 0;
  const got = () => {
    clearTimeout(timer);
    timer = 0;
  };
  signal.addEventListener("abort", got);
  return { got, expect: (wait = WAIT_MS) => { timer ||= setTimeout(onSilence, wait, SILENT); } };
}

/** Send a message; after a restart there is nobody to send it to, and `answers` will say so. */
function sending(model) {
  return (message) => {
    try {
      Promise.resolve(model.send(message)).catch(() => {});
    } catch {
      // Said on screen by `answers`.
    }
  };
}
