"""Words that say nothing of what is asked: those of grammar, and those of asking."""

from __future__ import annotations

_FRENCH = """
a afin ai aie ainsi alors apres as assez au aucun aucune aujourd auquel aura aussi autre autres aux auxquelles
auxquels avaient avais avait avant avec avez avoir avons ayant beaucoup bien bonjour bonsoir c ca car ce ceci cela
celle celles celui ces cet cette ceux chaque chez ci comme comment concretement d dans de deja depuis des desquelles
desquels dire dit dois doit doivent donc donne donner dont du duquel elle elles en encore entre es est et etaient
etais etait etant ete etes etre eu eux existe explique expliquer expliquez faire fais fait faites falloir faut font
hui ici il ils j je jusqu jusque juste l la laquelle le lequel les lesquelles lesquels leur leurs lorsqu lorsque lui m
ma mais me meme memes merci mes mettre mieux moi moins mon n ne ni non nos notre nous on ont ou par parce parle pas
pendant peu peut peuvent peux plus plusieurs plutot pour pourquoi pouvez pouvoir prof puis puisque qu quand que quel
quelle quelles quelqu quelque quelques quels qui quoi rien s sa sait sans savoir se selon sera serait sert servent
servir ses si sinon soi soit sommes son sont sous suis sur surtout t ta tandis te tel telle tels tes toi ton toujours
tous tout toute toutes tres trop tu un une va vais vas vers veulent veut veux via voici voila voir vois vont vos votre
voudrais vouloir vous vraiment vu y
"""
_TYPED = "pk pq pkoi koi kwa pr qd svp stp bjr slt c ct cest jsp tjs bcp mtn ya"
_ENGLISH = """
a about all an and any are as at be been but by can could did do does doing everyone everything for from get had has
have how i if in into is it its just know like many me more much my no not of on once one only or other others our
please same should so some something still than that the their them then there these they thing things this those to
too up use using very want was we were what when where which while who why will with within without would you your
"""

STOP_WORDS = frozenset(f"{_FRENCH} {_TYPED} {_ENGLISH}".split())
"""Folded: lower case, without accents."""
FRENCH_ONLY = frozenset(f"{_FRENCH} {_TYPED}".split()) - frozenset(_ENGLISH.split())
ENGLISH_ONLY = frozenset(_ENGLISH.split()) - frozenset(f"{_FRENCH} {_TYPED}".split())
"""Those that tell one language from the other."""
