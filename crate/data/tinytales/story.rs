//! A story: a cast, two to four threads in which something happens that can be known later, and fillers, all
//! woven into one another so that what is asked at the end of a thread may lie some sentences back.

use std::collections::VecDeque;
use std::ops::Range;

use super::cast::Cast;
use super::plot::Plot;
use super::sentences::Sentence;
use super::words::word;
use super::world::Event;
use crate::data::Task;
use crate::random::Random;

/// Every story is shorter than this, in bytes, with the blank line that ends it.
pub const STORY_LIMIT: usize = 1000;

#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    pub cast: Cast,
    pub sentences: Vec<Sentence>,
}

/// A place in a story's text where what comes next follows from what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub task: Task,
    /// Which sentence.
    pub sentence: usize,
    /// The answer's bytes in the text: from the space before it to the full stop.
    pub answer: Range<usize>,
}

impl Story {
    pub fn draw(random: &mut Random) -> Self {
        loop {
            let story = Self::draw_any_length(random);
            if story.render().0.len() < STORY_LIMIT - super::DOCUMENT_END.len() {
                return story;
            }
        }
    }

    fn draw_any_length(random: &mut Random) -> Self {
        let cast = Cast::draw(random);
        let mut plot = Plot::new(&cast);
        let mut threads: Vec<VecDeque<Event>> = Vec::new();
        for _ in 0..2 + random.below(3) {
            let thread = match random.below(4) {
                0 => plot.hide(random),
                1 => plot.pass(random),
                // Names are given once: a second thread of them could ask for what the first has not told yet.
                2 if !plot.nameless.is_empty() => plot.name(random),
                _ => plot.count(random),
            };
            threads.push(thread.into());
        }
        for _ in 0..1 + random.below(2) {
            threads.push([plot.look(random)].into());
        }
        for _ in 0..2 + random.below(4) {
            threads.push([cast.filler(random)].into());
        }

        let mut events = cast.opening(random);
        events.extend(weave(threads, random));
        events.push(cast.closing(random));
        Self::tell(cast, events, random)
    }

    /// The story of these events, each told in one of the ways there are.
    pub fn tell(cast: Cast, events: Vec<Event>, random: &mut Random) -> Self {
        let sentences = events.into_iter().map(|event| Sentence { template: word(event.templates(), random), event });
        Self { sentences: sentences.collect(), cast }
    }

    /// The text, and where in it a reader can know what comes next.
    pub fn render(&self) -> (String, Vec<Fact>) {
        let mut text = String::with_capacity(STORY_LIMIT);
        let mut facts = Vec::new();
        for (i, sentence) in self.sentences.iter().enumerate() {
            if i > 0 {
                text.push(' ');
            }
            let start = sentence.write(i.checked_sub(1).map(|before| &self.sentences[before]), &mut text);
            if let (Some(task), Some(start)) = (sentence.event.task(), start) {
                facts.push(Fact { task, sentence: i, answer: start..text.len() });
            }
        }
        (text, facts)
    }

    /// The text up to the end of a sentence.
    pub fn told_to(&self, last: usize) -> String {
        let mut text = String::new();
        for (i, sentence) in self.sentences[..=last].iter().enumerate() {
            if i > 0 {
                text.push(' ');
            }
            sentence.write(i.checked_sub(1).map(|before| &self.sentences[before]), &mut text);
        }
        text
    }
}

/// Merges the threads, each of which keeps its order. Half of the time a thread goes on at once, as a storyteller
/// would; else the longer ones are the likelier to be taken up.
fn weave(mut threads: Vec<VecDeque<Event>>, random: &mut Random) -> Vec<Event> {
    let mut left: usize = threads.iter().map(VecDeque::len).sum();
    let mut events = Vec::with_capacity(left);
    let mut current = 0;
    while left > 0 {
        if events.is_empty() || threads[current].is_empty() || random.below(2) == 0 {
            let mut at = random.below(left as u32) as usize;
            current = 0;
            while at >= threads[current].len() {
                at -= threads[current].len();
                current += 1;
            }
        }
        events.extend(threads[current].pop_front());
        left -= 1;
    }
    events
}
