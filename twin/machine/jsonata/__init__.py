"""JSONata as Step Functions has it: the evaluator, the functions, and how a state uses them."""
