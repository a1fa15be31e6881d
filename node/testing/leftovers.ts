/**
 * What must not outlive a test process that ends without its disposals, as after a timeout: server processes and
 * directories. Everything registered here is undone in the process's exit event, latest first.
 */

// One list for the process, because the exit event is one: a listener per resource would exceed Node's limit.
const undoings: (() => void)[] = [];

/** Returns how to take it back, for the orderly end. */
export function undoAtExit(undo: () => void): () => void {
  if (undoings.length === 0) {
    process.once('exit', undoAll);
  }
  undoings.push(undo);
  return () => {
    const at = undoings.indexOf(undo);
    if (at !== -1) {
      undoings.splice(at, 1);
    }
    if (undoings.length === 0) {
      process.off('exit', undoAll);
    }
  };
}

function undoAll(): void {
  for (const undo of undoings.toReversed()) {
    undo();
  }
}
