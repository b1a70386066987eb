import process from 'node:process';

/** Runs the commands of the harness, which come over the channel between the processes. Ends with the harness. */
export function answerCommands(commands) {
  process.on('message', ({ id, command, argument }) => {
    void Promise.resolve()
      .then(() => commands[command](argument))
      .then(
        (result) => process.send({ id, result }),
        (error) => process.send({ id, error: String(error?.stack ?? error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}
