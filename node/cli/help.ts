/** `tributary help`. */
export const help = `tributary: carries approved records upstream between PostgreSQL datacentres

  tributary run                          serve this node until told to stop (SIGTERM; SIGHUP reads the topology again)
  tributary status [--json]              how this node is; exit code 0 ok, 1 warning, 2 critical, 3 unknown
  tributary wait --stream NAME [--timeout SECONDS]
                                         until all that child had committed by now is applied here; default 60 s
  tributary reload                       read the topology file again; a bad file changes nothing
  tributary pause STREAM                 stop the stream of a child, across restarts, until
  tributary resume STREAM                it is let go on
  tributary parked list [--stream NAME] [--json]
                                         keys that are not level here, each with the reason and what to do
  tributary parked retry --stream NAME [--table TABLE]
                                         try them again now
  tributary parked discard --stream NAME --table TABLE --key '["..."]' --reason TEXT
                                         give one up; the reason is kept in the audit
  tributary verify [--stream NAME] [--table TABLE] [--timeout SECONDS] [--json]
                                         compare the tables here with the children's: which keys differ
  tributary reconcile [--stream NAME] [--table TABLE] [--timeout SECONDS] [--yes | --plan RUN]
                                         show what making them equal would change here; do it with --plan or --yes
  tributary rewound list --stream NAME [--table TABLE] [--json]
                                         keys that stand only here, or differ here, since that child went back in time
  tributary rewound return --stream NAME --admin URL [--table TABLE] [--key '["..."]']
                                         write them into the child's own database, with a login there
  tributary rewound release --stream NAME [--table TABLE] [--key '["..."]']
                                         take the child's version instead; rows it does not have are removed
  tributary forget NODE [--yes]          show how many rows of a node that moved away, or is closed for good, stand
                                         here; remove them
  tributary check [--json]               everything that would break later, each with what mends it
  tributary prepare [--plan] [--admin URL] [--undo]
                                         make this node's PostgreSQL ready, as its owner
  tributary topology validate|print      the problems of a topology file, or the tree it describes
  tributary help | version

Every command but help and version takes
  --topology FILE   or TRIBUTARY_TOPOLOGY
  --node NAME       or TRIBUTARY_NODE       (\`topology\` needs none)

Exit codes: 0 done, 1 not reached, 2 wrong usage or configuration, 3 needs a person.
`;
