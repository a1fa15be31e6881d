/**
 * A socket that reads into one buffer, again and again. Node otherwise makes 64 KiB for each read, however little comes, and
 * what nobody holds any more counts towards the heap until it is collected.
 */
import { Socket } from 'node:net';

const readBytes = 64 << 10;

/** Sockets whose listeners keep nothing of what they are given. */
const lending = new WeakSet<Socket>();

export function readSocket(): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const socket: Socket = new Socket({
    onread: {
      buffer,
      callback: (length) => {
        const bytes = buffer.subarray(0, length);
        socket.emit('data', lending.has(socket) ? bytes : Buffer.from(bytes));
        return true;
      },
    },
  });
  return socket;
}

/** True: `data` lends its bytes, which are overwritten when the listeners return. Of other sockets it means nothing. */
export function lend(socket: Socket, lends: boolean): void {
  if (lends) {
    lending.add(socket);
  } else {
    lending.delete(socket);
  }
}
