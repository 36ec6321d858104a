"""What a tool and a goal are, how they are found and how they run. The tools themselves lie one directory up."""
