/** Which scene reaches which crash points. */
import {
  firstContact,
  givingBack,
  type OwnScene,
  preparing,
  wentBack,
} from './crash-own-scenes.ts';
import {
  atWork,
  compare,
  copy,
  hugeTransaction,
  retry,
  type Scene,
  slotAgain,
  slotDropped,
  unusedSlot,
  verify,
} from './crash-scenes.ts';

interface Points {
  /** Name -> it dies at one of so many passings. */
  readonly points: Readonly<Record<string, number>>;
}

/** Played in the tree that such scenes share. */
export interface CommonStory extends Points {
  readonly common: true;
  readonly scene: Scene;
  /** A slot is confirmed before the region notes it. */
  readonly newSlot?: boolean;
}

/** Played in a tree of its own. */
export interface OwnStory extends Points {
  readonly common: false;
  readonly scene: OwnScene;
}

export type Story = CommonStory | OwnStory;

export const stories = {
  parts: {
    scene: atWork,
    common: true,
    points: {
      'part-received': 5,
      'rows-written': 5,
      'position-sent': 5,
      'commit-sent': 5,
      'part-committed': 5,
      'part-confirmed': 5,
    },
  },
  heartbeat: {
    scene: atWork,
    common: true,
    points: { 'heartbeat-noted': 2, 'heartbeat-written': 2 },
  },
  parking: {
    scene: atWork,
    common: true,
    points: { 'keys-refused': 3, 'keys-parked': 3 },
  },
  retry: {
    scene: retry,
    common: true,
    points: { 'retry-due': 1, 'retry-put': 1 },
  },
  huge: {
    scene: hugeTransaction,
    common: true,
    points: { 'spool-begun': 1, 'spool-grown': 4, 'spool-whole': 1, 'slice-written': 3 },
  },
  copy: {
    scene: copy,
    common: true,
    points: { 'page-read': 3, 'page-written': 3, 'page-committed': 3 },
  },
  compare: {
    scene: compare,
    common: true,
    points: {
      'keys-noted': 1,
      'chunk-compared': 1,
      'keys-settled': 1,
      'table-equal': 1,
      'table-done': 1,
    },
  },
  verify: {
    scene: verify,
    common: true,
    points: { 'chunk-verified': 3 },
  },
  slotDropped: {
    scene: slotDropped,
    common: true,
    newSlot: true,
    points: { 'slot-remade': 1, 'restart-noted': 1, 'stream-restarted': 1 },
  },
  slotAgain: {
    scene: slotAgain,
    common: true,
    newSlot: true,
    points: { 'slot-dropped': 1 },
  },
  unusedSlot: {
    scene: unusedSlot,
    common: true,
    points: { 'drop-audited': 1 },
  },
  firstContact: {
    scene: firstContact,
    common: false,
    points: { 'first-slot-made': 1, 'stream-begun': 1, 'rows-adopted': 2 },
  },
  preparing: {
    scene: preparing,
    common: false,
    points: { 'step-run': 1, 'step-committed': 1 },
  },
  wentBack: {
    scene: wentBack,
    common: false,
    points: {
      'slot-remade': 1,
      'stream-restarted': 1,
      'rewound-keys-listed': 1,
      'rewound-found': 1,
      'rewound-listed': 1,
    },
  },
  givingBack: {
    scene: givingBack,
    common: false,
    points: { 'row-returned': 20 },
  },
} as const satisfies Record<string, Story>;
