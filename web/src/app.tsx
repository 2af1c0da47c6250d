// The page as a whole: choose a viewer, then show them the view that the address names.
import type { EventsClient } from "@novafeed/events";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { answeredEvent, Problem } from "./api";
import { Frame } from "./frame";
import { Confirm } from "./parts/confirm";
import { messageOf } from "./parts/states";
import { RelationsProvider, useOwnRelations } from "./relations";
import { HereContext, type Route, useAddress } from "./route";
import {
  type Choice,
  type OpenedSession,
  type Notice,
  openSession,
  type Question,
  type Session,
  SessionContext,
  storeChoice,
  storedChoice,
} from "./session";
import { FeedView } from "./views/feed";
import { PeopleView } from "./views/people";
import { type Refusal, ViewerPicker } from "./views/picker";
import { PipelineView } from "./views/pipeline";
import { ProfileView } from "./views/profile";
import { TrendingView } from "./views/trending";

const noticeMs = 6000;

/** What goes by itself after a while; later where the viewer may want to press something in it. */
function useNotice(): [notice: Notice | null, tell: (notice: Notice | null) => void] {
  const [notice, setNotice] = useState<Notice | null>(null);
  const timer = useRef(0);
  const tell = useCallback((next: Notice | null) => {
    clearTimeout(timer.current);
    setNotice(next);
    timer.current = window.setTimeout(() => setNotice(null), next?.way ? 2 * noticeMs : noticeMs);
  }, []);
  return [notice, tell];
}

/**
 * What did not work, until the viewer closes it. That the server did not answer is over with its next answer, but stays
 * as long as it takes to read it.
 */
function useProblem(): [problem: unknown, setProblem: (problem: unknown) => void] {
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    if (!(problem instanceof Problem && problem.status === 0)) return;
    const readUntil = performance.now() + noticeMs;
    let timer = 0;
    const end = () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => setProblem(null), readUntil - performance.now());
    };
    addEventListener(answeredEvent, end);
    return () => {
      removeEventListener(answeredEvent, end);
      clearTimeout(timer);
    };
  }, [problem]);
  return [problem, setProblem];
}

interface Asked {
  question: Question;
  answer: (yes: boolean) => void;
}

/** A question that waits for the viewer's answer; null where there is none. */
function useQuestion(): [asked: Asked | null, confirm: Session["confirm"]] {
  const [asked, setAsked] = useState<Asked | null>(null);
  const confirm = useCallback(
    (question: Question) =>
      new Promise<boolean>((resolve) => {
        const answer = (yes: boolean) => {
          setAsked(null);
          resolve(yes);
        };
        setAsked({ question, answer });
      }),
    [],
  );
  return [asked, confirm];
}

/** The session of whom the viewer chose to be; null until it is open. */
function useOpened(choice: Choice | null, refused: (choice: Choice, error: unknown) => void): OpenedSession | null {
  const [opened, setOpened] = useState<OpenedSession | null>(null);
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
      (error: unknown) => current && refused(choice, error),
    );
    return () => {
      current = false;
      void events?.close();
    };
  }, [choice, refused]);
  return opened;
}

export function App() {
  const [choice, setChoice] = useState<Choice | null>(storedChoice);
  // Only asking tells, and where there is no demo the browser calls the answer an error: once is enough.
  const [demo, setDemo] = useState(true);
  const noDemo = useCallback(() => setDemo(false), []);
  const [problem, report] = useProblem();
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [notice, tell] = useNotice();
  const [asked, confirm] = useQuestion();
  const refused = useCallback(
    (made: Choice, error: unknown) => {
      if (made.kind === "token") setRefusal({ credentials: made.credentials, why: messageOf(error) });
      else report(error);
      setChoice(null);
    },
    [report],
  );
  const opened = useOpened(choice, refused);
  const session = useMemo(() => opened && { ...opened, report, tell, confirm }, [opened, report, tell, confirm]);

  const choose = (next: Choice | null) => {
    report(null);
    setRefusal(null);
    setChoice(next);
  };

  return (
    <>
      <a class="skip" href="#view" onClick={skipToView}>
        Skip to the content
      </a>
      {!choice && (
        <ViewerPicker demo={demo} onNoDemo={noDemo} refusal={refusal} onChoose={choose} onError={report} />
      )}
      {session && <SignedIn session={session} onLeave={() => choose(null)} key={session.viewer.id} />}
      {choice && !session && (
        <p class="waiting" role="status">
          Opening the feed…
        </p>
      )}
      {asked && <Confirm question={asked.question} onAnswer={asked.answer} />}
      <div role="alert" class="toasts toasts-alert">
        {problem !== null && (
          <div class="toast alert">
            <span>{messageOf(problem)}</span>
            <button type="button" class="quiet" aria-label="Close this message" onClick={() => report(null)}>
              ✕
            </button>
          </div>
        )}
      </div>
      <div role="status" class="toasts">
        {notice && <NoticeToast notice={notice} onGone={() => tell(null)} />}
      </div>
    </>
  );
}

function NoticeToast({ notice: { text, way }, onGone }: { notice: Notice; onGone: () => void }) {
  return (
    <div class="toast notice">
      <span>{text}</span>
      {way && "href" in way && (
        <a href={way.href} onClick={onGone}>
          {way.label}
        </a>
      )}
      {way && "go" in way && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            way.go();
            onGone();
          }}
        >
          {way.label}
        </button>
      )}
    </div>
  );
}

/** Not by the address, which names the view. */
function skipToView(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("view")?.focus();
}

function SignedIn({ session, onLeave }: { session: Session; onLeave: () => void }) {
  const here = useAddress();
  const relations = useOwnRelations(session);
  return (
    <SessionContext.Provider value={session}>
      <RelationsProvider value={relations}>
        <HereContext.Provider value={here}>
          <Frame session={session} onLeave={onLeave}>
            <View route={here.route} />
          </Frame>
        </HereContext.Provider>
      </RelationsProvider>
    </SessionContext.Provider>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "feed":
      return <FeedView mode={route.mode} />;
    case "trending":
      return <TrendingView window={route.window} />;
    case "people":
      return <PeopleView />;
    case "profile":
      return <ProfileView key={route.id} id={route.id} list={route.list} />;
    case "pipeline":
      return <PipelineView />;
  }
}
