import { Inject, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/**
 * Reports that an application has started: every start-up hook of every module has run, and none of them failed. Nest itself
 * reports neither a start that has succeeded nor one that has failed.
 */
@Injectable()
export class ApplicationStart implements OnApplicationBootstrap {
  readonly #listeners: (() => void | Promise<void>)[] = [];

  /** Calls a function once, when the application has started. The start waits for it. */
  onStarted(listener: () => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) await listener();
  }
}

/** A module of its own, since Nest runs the hooks of a module after those of the modules that are farther away. */
@Module({ providers: [ApplicationStart], exports: [ApplicationStart] })
export class ApplicationStartModule {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    for (const module of modules.values()) {
      if (module.metatype === ApplicationStartModule) module.distance = -Infinity;
    }
  }
}
