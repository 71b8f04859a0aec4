"""Questions that nobody can answer: things that do not exist, and events after any model's training.

Right is to say so. A model that names a capital of Velmoria makes it up, and should have been escalated.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import FREE, PARAGRAPH

NONSENSE = (
    "What is the capital of the Republic of Velmoria?",
    "In which year did the astronomer Tobias Krellwick discover the comet Brannoch?",
    "Who wrote the novel 'The Lanterns of Ostrovane'?",
    "What does the Python function math.quorbit compute?",
    "What is the atomic number of the element zelphium?",
    "Who signed the Treaty of Harrowmere of 1937?",
    "How tall is Mount Drasnivek in Portugal?",
    "Which river flows through the Danish city of Plumbergau?",
    "What is the main ingredient of the Austrian dish Quastelknopf?",
    "Who composed the opera 'Il Gatto di Ferro Verde'?",
    "What does the git command 'git marinate' do?",
    "How many moons does the planet Torvex have?",
    "Which enzyme is inhibited by the drug bralotimine?",
    "What is the currency of the island state of Quendara?",
    "When was the University of Nether Billowfield founded?",
    "Which team won the football world cup of 1943?",
    "What is the boiling point of the solvent trifluxane?",
    "Who was the mother of King Aldemar IV of Burgundy-Thrace?",
    "Which HTTP status code means 'Teacup Overheated'?",
    "What did the philosopher Ioana Vresk argue in 'The Second Silence'?",
    "How long is the Kessigny tunnel between Lyon and Oslo?",
    "What does the SQL keyword UNGATHER do?",
    "In which film did the actress Merrily Stockhausen win her third Oscar?",
    "What is the population of the city of Grelnod in Utah?",
    "Which vitamin is found only in the Siberian glass pear?",
    "Who invented the hydraulic clavichord in 1822?",
)
"""About people, places and things that do not exist."""

AFTER_TRAINING = (
    "Who won the Nobel Prize in Physics in {year}?",
    "Which film won the Academy Award for Best Picture in {year}?",
    "Who won the men's singles at Wimbledon in {year}?",
    "What was the inflation rate in Germany in {year}?",
    "Who was elected President of the United States in {election}?",
    "Which country won the football World Cup in {cup}?",
    "Which team won the Champions League final in {year}?",
    "What was the closing price of gold on 3 March {year}?",
    "Which song won the Eurovision Song Contest in {year}?",
    "What was the population of India in the census of {decade}?",
    "Which new features did Python gain in its release of {year}?",
    "Who won the Tour de France in {year}?",
)
"""About years that no model that can be run today has read of."""

_YEARS = range(2034, 2050)


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    check = Check(Kind.ABSTAIN)
    for i, text in enumerate(NONSENSE):
        if i % 5 == 4:
            yield Item(f"nonsense-{i}", text + PARAGRAPH, check, "nonsense", 1.0, "long")
        else:
            yield Item(f"nonsense-{i}", text + random.choice(FREE), check, "nonsense", 1.0)
    for i, text in enumerate(AFTER_TRAINING * 2):
        year = random.choice(_YEARS)
        asked = text.format(year=year, election=2036 + 4 * (i % 3), cup=2034 + 4 * (i % 3), decade=2041 + 10 * (i % 2))
        yield Item(f"future-{i}", asked + random.choice(FREE), check, "future", 1.0)
