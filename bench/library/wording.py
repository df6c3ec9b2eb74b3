"""What coaches and parents write on clips: seeded notes with the variety of plain English, about 2 bits a letter."""

import random

PLAYERS = ("Mia", "Noah", "Emma", "Liam", "Lena", "Ben", "Zoe", "Finn", "Ida", "Max", "Ella", "Tom", "Nora", "Jan")
TEAMS = ("FC North", "Riverside", "SV West", "Old Mill", "Harbour Kids", "TSV Linden", "Hill Rovers", "Eastgate")
TAGS = ("goal", "assist", "save", "dribble", "through ball", "tackle", "cross", "header", "corner", "mistake")
LONGEST = 200
_TEXT = """
a about above across after again against ahead alert all almost alone along already also always and angle another arm
around arrive as ask at away back bad balance ball bar be beat before begin behind bench best better between blind
block body bounce box brave break bring build but by call calm came can captain carry catch centre challenge chance
change chase check chest chip choice clean clear close coach cold come control cool corner could count cover cross
crowd curl cut danger dark deep defend delay different direct dive do double down drag drive drop dry each early easy
edge eleven empty end enough equal even every example eye face fall far fast feet few field final find finish fire
first five flank flat flick floor follow foot for force forward foul four free fresh from full gap gave get give go
goal good grass great ground guard had half hand hard has have he head heavy held help her here hesitate high him hips
hit hold honest hope how hurry if improve in inside instead into is it join judge jump just keep keeper key kick knee
know last late lead lean learn leave left let level lift like line little long look loose lose loud low luck made make
mark may meet middle midfield might miss mistake moment more most move much must narrow near need never next nice no
nod not now of off offside often on once one only open opponent or other our out outside over own pace parents part
pass patient pause penalty perfect pick pitch place plan play point poor position post power press problem protect
pull punch push quick quiet rain reach read ready rebound recover rest return right risk roll round run safe same save
scan score second see send set shadow shape sharp she shield shoot short shot should shoulder show side simple six
sleep slide slow small smart soft some soon space speed spin sprint square stand start stay step still stop straight
stretch strike strong support swap sweep swing switch tackle take talk tap target team tempo that the their then there
they third this three through throw tight time tired to toe together too touch track train trap trick turn twice two
under until up use very voice volley wait walk wall want was watch way weak weight well went wet when where whistle
wide will win wind wing with work worth would wrong yard year you young zone
"""
_WORDS = _TEXT.split()


def notes(rng: random.Random) -> str:
    """40 to LONGEST characters."""
    words = [rng.choice(PLAYERS), f"{rng.randrange(90)}:{rng.randrange(60):02d}", *rng.choices(_WORDS, k=34)]
    return " ".join(words)[: rng.randint(40, LONGEST)]
