import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Resolves when this text is in a program's log: its standard error, or else its standard output. Rejects with the end of the log if the program ends or takes too long. */
export async function says(program: string, child: ChildProcess, words: string, patience: number): Promise<void> {
  const said: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`${program} ${reason}:\n${said.slice(-20).join('\n')}`));
      timer = setTimeout(() => fail(`is not ready after ${patience} ms`), patience);
      child.once('error', reject);
      child.once('close', (code) => fail(`has ended with exit code ${code}`));
      createInterface({ input: (child.stderr ?? child.stdout)! }).on('line', (line) => {
        if (line.includes(words)) resolve();
        said.push(line);
        if (said.length > 100) said.shift();
      });
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
