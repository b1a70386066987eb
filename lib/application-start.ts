import { Inject, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { reportIgnored } from './core/diagnostics.js';
import { ListeningState } from './core/listening-state.js';

/** A part of the library that takes hold of the process while an application is up. */
export interface ApplicationStartListener {
  /** The application has started. Called again where it listens after all, on another port say. The start waits for it. */
  started(): void | Promise<void>;
  /** The application cannot listen. It may be given up, which Nest does not report, so nothing of it may stay. */
  failed(): void;
}

/**
 * Reports that an application has started: every start-up hook of every module has run, none of them failed, and none of its
 * servers has failed to listen so far. Nest itself reports neither a start that has succeeded nor one that has failed.
 */
@Injectable()
export class ApplicationStart implements OnApplicationBootstrap {
  readonly #listeners: ApplicationStartListener[] = [];
  #state: ListeningState | undefined;

  constructor(
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  add(listener: ApplicationStartListener): void {
    this.#listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    // A microservice that is initialized by hand runs its hooks twice.
    if (this.#state) return;
    this.#state = new ListeningState((isUp) => {
      if (isUp) void this.#started().catch((error: unknown) => reportIgnored('Starting to trace again', error));
      else for (const listener of this.#listeners) listener.failed();
    });
    this.#state.watchServer(this.adapterHost.httpAdapter?.getHttpServer());
    // Public, but young: a release without it reports no microservice that cannot listen.
    const { getRpcTargetRegistry: registry } = this.modules as Partial<ModulesContainer>;
    registry?.call(this.modules).subscribe((transport: unknown) => this.#state?.watchTransport(transport));
    await this.#started();
  }

  async #started(): Promise<void> {
    for (const listener of this.#listeners) await listener.started();
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
