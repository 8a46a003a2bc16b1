"""Finding memories by what they say: how long it takes, and how much of what was asked for it finds.

Time is CPU time of this process, without a network. Memories are made of a few dozen words each, drawn as
words are drawn in texts (Zipf's law). The first question is compared with listing and decrypting the same
memories.

What is found is counted as evidence recall is on LoCoMo: of the memories that answer a question, how many
are among the first so many. The set is synthetic: people with facts about them, told in one wording among
many notes on the same people and things, and asked for in another wording.

    python -m benchmarks.recall [--rounds 9]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.read_stage import USER, credentials, read_server
from memoram_async import AsyncMemoram, Memory
from memoram_async.core.secret import Secret
from memoram_async.crypto import Decrypted
from memoram_async.models.memory import MemoryBlob
from memoram_async.recall import WordRecall

if TYPE_CHECKING:
    from collections.abc import Callable

VOCABULARY = [f"word{number}" for number in range(20_000)]
WEIGHTS = [1 / (number + 1) for number in range(len(VOCABULARY))]

NAMES = ["Ada", "Grace", "Linus", "Mary", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Ken"]
# What is noted of somebody, and how it is asked for: other forms of the words, and other words around them.
FACTS = [
    ("{} prefers window seats when travelling by train", "Which seat does {} like on trains?"),
    ("{} is allergic to hazelnuts and almonds", "What allergies does {} have?"),
    ("{} hikes in the Dolomites every summer", "Where does {} go hiking?"),
    ("{} has been learning the cello since March", "Which instrument is {} learning to play?"),
    ("{} moved to Lisbon for a job at a bakery", "Why did {} move to another city?"),
    ("{} adopted two cats from the shelter", "What pets did {} adopt?"),
    ("{} is writing a novel about lighthouse keepers", "What has {} written about?"),
    ("{} runs marathons and trains before breakfast", "When does {} train for running?"),
    ("{} paints watercolours of harbours", "What does {} like painting?"),
    ("{} gave up drinking coffee last winter", "Does {} still drink coffee?"),
    ("{} volunteers at the library on Saturdays", "Where is {} volunteering at weekends?"),
    ("{} collects stamps from island states", "What is in the collection of {}?"),
]
FILLERS = [
    "{} said that the weather was fine",
    "{} asked about the trip to the coast",
    "{} was late because of the traffic",
    "{} talked about a film and a book",
    "{} thanked everybody for the evening",
    "{} wondered what to cook at the weekend",
    "{} mentioned a friend who likes to travel",
    "{} had a long day at work and went to bed",
]


def memory(number: int, text: str) -> Memory:
    """A memory with that content."""
    blob = MemoryBlob(id=f"mem_{number}", user_id=USER)
    readable = Decrypted(
        text=text, encrypted=True, authenticated=True, bound=True, codec="jwe", key_version=1
    )
    return Memory.of(blob, readable)


def notes(count: int, words: int = 30) -> list[Memory]:
    """So many memories of so many words."""
    chance = random.Random(7)  # noqa: S311 - no secret
    return [memory(number, " ".join(chance.choices(VOCABULARY, WEIGHTS, k=words))) for number in range(count)]


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """The median CPU time of some work."""
    seconds: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds) * 1000


def questions(rounds: int) -> None:
    """What a question costs once the memories are known."""
    chance = random.Random(8)  # noqa: S311 - no secret
    for count, goal in ((1000, 2), (10_000, 15)):
        recall = WordRecall()
        memories = notes(count)
        for each in memories:
            recall.put(each)
        asked = [Secret(" ".join(chance.choices(VOCABULARY, WEIGHTS, k=8))) for _ in range(20)]

        def ask(recall: WordRecall = recall, asked: list[Secret] = asked) -> None:
            for each in asked:
                recall.search(each, limit=10)

        print(f"| a question over {count:,} memories | {goal} ms | {milliseconds(ask, rounds) / 20:.2f} ms |")


async def first_question(rounds: int) -> None:
    """The first question beyond listing, beside listing and decrypting the same memories."""
    with read_server() as url:
        async with AsyncMemoram("mem_bench", base_url=url, auth_url=url) as client:
            store: Any = client.open(credentials())
            listed: list[Memory] = []
            ratios: list[float] = []
            for turn in range(rounds + 1):
                began = time.process_time()
                listed = []
                async for each in store.list(page_size=100):
                    listed.append(each)
                    if len(listed) == 1000:
                        break
                between = time.process_time()
                recall = WordRecall()
                for each in listed:
                    recall.put(each)
                recall.search(Secret("Prefers window seats"), limit=10)
                if turn:
                    ratios.append((time.process_time() - between) / (between - began))
    print(
        "| the first question over 1,000 memories of 1 KiB, beyond listing them / listing and decrypting "
        f"| 1.3 | {statistics.median(ratios):.2f} |"
    )


def found() -> None:
    """Evidence recall on the synthetic set."""
    chance = random.Random(9)  # noqa: S311 - no secret
    texts: list[str] = []
    asked: list[tuple[str, int]] = []
    for name in NAMES:
        for fact, question in FACTS:
            asked.append((question.format(name), len(texts)))
            texts.append(fact.format(name))
        texts.extend(filler.format(name) for filler in FILLERS * 5)
    order = list(range(len(texts)))
    chance.shuffle(order)
    recall = WordRecall()
    for number in order:
        recall.put(memory(number, texts[number]))
    for limit in (1, 5, 10):
        hits = sum(
            f"mem_{evidence}" in [each.id for each in recall.search(Secret(question), limit=limit)]
            for question, evidence in asked
        )
        what = f"{len(asked)} questions: evidence among the first {limit} of {len(texts)} memories"
        print(f"| {what} | none set | {hits / len(asked):.3f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds: int = parser.parse_args().rounds
    print("| what | goal | seen |\n|---|---|---|")
    questions(rounds)
    asyncio.run(first_question(rounds))
    found()


if __name__ == "__main__":
    main()
