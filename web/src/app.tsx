// The page as a whole: choose a viewer, then show their feed.
import type { EventsClient } from "@novafeed/events";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { FeedView } from "./feed_view";
import { Avatar, Name } from "./person";
import { type Choice, openSession, type Session, SessionContext, storeChoice, storedChoice } from "./session";
import { ViewerPicker } from "./viewer_picker";

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function App() {
  const [choice, setChoice] = useState<Choice | null>(storedChoice);
  const [opened, setOpened] = useState<Omit<Session, "report"> | null>(null);
  const [message, setMessage] = useState<string | null>(null);
  const report = useCallback((error: unknown) => setMessage(messageOf(error)), []);
  const session = useMemo(() => opened && { ...opened, report }, [opened, report]);

  useEffect(() => {
    storeChoice(choice);
    setOpened(null);
    if (!choice) return;
    let current = true;
    let events: EventsClient | undefined;
    openSession(choice).then(
      (next) => {
        ({ events } = next);
        if (current) setOpened(next);
        else void events.close();
      },
      (error: unknown) => {
        if (!current) return;
        report(error);
        setChoice(null);
      },
    );
    return () => {
      current = false;
      void events?.close();
    };
  }, [choice, report]);

  const choose = (next: Choice) => {
    setMessage(null);
    setChoice(next);
  };

  return (
    <>
      <header class="top">
        <div class="top-inner">
          <h1 class="brand">
            <img src="/favicon.svg" alt="" width="24" height="24" />
            Novafeed
          </h1>
          {session && (
            <div class="viewer">
              <Avatar id={session.viewer.id} name={session.viewer.name || session.viewer.handle} />
              <Name user={session.viewer} />
              <button type="button" class="quiet" onClick={() => setChoice(null)}>
                Change
              </button>
            </div>
          )}
        </div>
      </header>
      <div role="alert" class="alert-place">
        {message !== null && (
          <div class="alert">
            <span>{message}</span>
            <button type="button" class="quiet" aria-label="Close this message" onClick={() => setMessage(null)}>
              ✕
            </button>
          </div>
        )}
      </div>
      {!choice && <ViewerPicker onChoose={choose} onError={report} />}
      {session && (
        <SessionContext.Provider value={session} key={session.viewer.id}>
          <FeedView />
        </SessionContext.Provider>
      )}
      {choice && !session && (
        <p class="waiting" role="status">
          Opening the feed…
        </p>
      )}
    </>
  );
}
