/**
 * What must not outlive a test process that ends without its disposals, as after a timeout or a signal: server processes
 * and directories. Everything registered here is undone when the process ends, latest first.
 */

// One list for the process, because its end is one: a listener per resource would exceed Node's limit.
const undoings: (() => void)[] = [];

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Returns how to take it back, for the orderly end. */
export function undoAtExit(undo: () => void): () => void {
  if (undoings.length === 0) {
    process.once('exit', undoAll);
    for (const signal of signals) {
      process.once(signal, undoAndEnd);
    }
  }
  undoings.push(undo);
  return () => {
    const at = undoings.indexOf(undo);
    if (at !== -1) {
      undoings.splice(at, 1);
    }
    if (undoings.length === 0) {
      forget();
    }
  };
}

function undoAll(): void {
  for (const undo of undoings.toReversed()) {
    try {
      undo();
    } catch {
      // The next one is undone all the same.
    }
  }
}

/** Ends as the signal would have ended it. */
function undoAndEnd(signal: NodeJS.Signals): void {
  undoAll();
  forget();
  process.kill(process.pid, signal);
}

function forget(): void {
  process.off('exit', undoAll);
  for (const signal of signals) {
    process.off(signal, undoAndEnd);
  }
}
