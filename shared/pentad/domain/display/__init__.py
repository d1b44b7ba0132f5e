"""How text from outside is shown: to humans with nothing hidden in it, to models inside frames it can't leave."""
